#pragma once

// How wide the vectors of a pointwise lambda are depends on the instruction set that a file is
// compiled for, so files that differ in it would mean different things by one name. The library
// defines a symbol for its own; a file with lambdas that was compiled for another does not link.
#if defined(__AVX512F__)
#define UNROLL_INSTRUCTION_SET avx512
#elif defined(__AVX2__) && defined(__FMA__)
#define UNROLL_INSTRUCTION_SET avx2
#elif defined(__AVX__)
#define UNROLL_INSTRUCTION_SET avx
#else
#define UNROLL_INSTRUCTION_SET baseline
#endif

/// The name is the message, since it is all that a linker shows: "undefined reference to ...".
namespace unroll::this_file_and_the_library_differ_in_march {

extern const char UNROLL_INSTRUCTION_SET;
/// One in every file, not one for all, of which the linker would look at the first alone.
[[gnu::used]] static const char* const needed = &UNROLL_INSTRUCTION_SET;

}  // namespace unroll::this_file_and_the_library_differ_in_march
