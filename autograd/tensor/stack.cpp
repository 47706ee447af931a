#include <autograd/tensor/stack.hpp>

#include <limits>

#if defined(__GLIBC__)
#include <pthread.h>
#endif

namespace unroll::detail {
namespace {

std::uintptr_t ask_for_end() {
#if defined(__GLIBC__)
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return 0;
  void* lowest = nullptr;
  std::size_t size = 0;
  const int failed = pthread_attr_getstack(&attributes, &lowest, &size);
  pthread_attr_destroy(&attributes);
  return failed ? 0 : reinterpret_cast<std::uintptr_t>(lowest);
#else
  return 0;
#endif
}

}  // namespace

std::uintptr_t end_of_stack() {
  thread_local const std::uintptr_t end = ask_for_end();
  return end;
}

std::size_t stack_left() {
  const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const std::uintptr_t end = end_of_stack();
  // Code that runs on a stack of its own, as a coroutine may, is not on the thread's.
  if (end == 0 || here < end) return std::numeric_limits<std::size_t>::max();
  return here - end;
}

}  // namespace unroll::detail
