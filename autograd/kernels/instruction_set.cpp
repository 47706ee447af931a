#include <autograd/kernels/instruction_set.hpp>

namespace unroll::this_file_and_the_library_differ_in_march {

const char UNROLL_INSTRUCTION_SET = 1;

}  // namespace unroll::this_file_and_the_library_differ_in_march
