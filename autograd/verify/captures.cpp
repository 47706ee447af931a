#include <autograd/tape/access.hpp>
#include <autograd/tensor/stack.hpp>
#include <autograd/verify/captures.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace unroll::detail {

// Not inline: what lies below its frame belongs to the functions that it has called.
[[gnu::noinline]] std::vector<GradcheckFinding> find_dangling_captures(const Varied& f) {
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  const std::uintptr_t end = end_of_stack();
  std::vector<GradcheckFinding> findings;
  if (end == 0) return findings;
  Tape tape;
  std::vector<Variable> leaves;
  f(f.point(), &leaves);
  const std::size_t operations = tape.statistics().operations;
  for (std::size_t node = 0; node < operations; ++node) {
    const extension::TapeAccess::Lambda lambda = extension::TapeAccess::lambda(tape, node);
    for (std::size_t at = 0; at + sizeof(std::uintptr_t) <= lambda.bytes.size();
         at += sizeof(std::uintptr_t)) {
      std::uintptr_t word = 0;
      std::memcpy(&word, lambda.bytes.data() + at, sizeof word);
      if (word < end || word >= frame) continue;
      std::string text = "the lambda of ";
      text += lambda.operation;
      text += " (operation " + std::to_string(node);
      text +=
          ") captures a reference to a local variable, which is gone when the backward pass runs "
          "the lambda again: capture it by value, [k] in place of [&k]";
      findings.push_back({Cause::dangling_capture, lambda.operation, node, {}, 1.0, text});
      break;
    }
  }
  return findings;
}

}  // namespace unroll::detail
