#pragma once

#include <cstddef>
#include <cstdint>

namespace unroll::detail {

/// The lowest address that the stack of this thread may reach; 0 where the system does not say.
std::uintptr_t end_of_stack();

/// How much of the stack of this thread is left, in bytes; much where the system does not say.
std::size_t stack_left();

}  // namespace unroll::detail
