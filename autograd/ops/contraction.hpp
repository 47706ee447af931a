#pragma once

#include <autograd/tape/variable.hpp>

#include <initializer_list>
#include <span>
#include <string_view>

/// Products of tensors beside matmul and linear; all operands share one floating dtype. Throws
/// ShapeError, DtypeError for other or different dtypes.
namespace unroll {

/// All products of two vectors: `a: [M]`, `b: [N]`, result `[M,N]`.
Variable outer(const Variable& a, const Variable& b);

/// The sum of the products of two vectors, `[N]` each: a scalar.
Variable dot(const Variable& a, const Variable& b);

/// y_o = b_o + sum_ij weight_oij a_i b_j: `a: [...,I]`, `b: [...,J]` with equal leading axes,
/// `weight: [O,I,J]`, `bias: [O]` or undefined, result `[...,O]`.
Variable bilinear(const Variable& a, const Variable& b, const Variable& weight,
                  const Variable& bias = {});

/// Einstein's summation, as in NumPy. Each axis of an operand gets a letter; the result has the
/// axes behind the arrow, and sums over the others: `einsum("bij,bjk->bik", {a, b})` is a batch of
/// matrix products, `"ii->i"` a diagonal, `"ij->"` the sum of everything. Without an arrow the
/// result has the letters that occur once, in alphabetical order. `...` stands for leading axes
/// that broadcast. Operands are multiplied from left to right, each pair as one matrix product;
/// order them so that the products between stay small. Throws ArgumentError for an equation that
/// cannot be read.
Variable einsum(std::string_view equation, std::span<const Variable> operands);
Variable einsum(std::string_view equation, std::initializer_list<Variable> operands);

}  // namespace unroll
