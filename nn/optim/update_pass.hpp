#pragma once

#include <autograd/pointwise/pointwise.hpp>
#include <autograd/tape/gradient.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <new>
#include <type_traits>

namespace unroll::nn {

/// Elementwise formulas over many tensors, as an optimizer has them for its parameters: first they
/// are collected, then run in one pass over memory, cut among threads by the elements of all of
/// them together. An element's result does not depend on the cut.
///
/// A formula is a lambda as pointwise takes it, of which the captures are copied. The
/// tensors of one formula have one size and one floating dtype; those that change are contiguous
/// and have no other owner. They are written to by run() and may be moved before it, but must live.
class UpdatePass {
 public:
  /// changed... = f(changed...), element by element.
  template <class F, std::same_as<Tensor>... Changed>
  void change(const F& f, Changed&... changed) {
    insert<0>(f, Tensor(), changed...);
  }

  /// weight, kept... = f(gradient, weight, kept...), element by element. Throws DtypeError when the
  /// gradient has another dtype than the weight.
  template <class F, std::same_as<Tensor>... Kept>
  void add(const F& f, const Tensor& gradient, Tensor& weight, Kept&... kept) {
    insert<1>(f, gradient.contiguous(), weight, kept...);
  }

  /// Runs all updates that were inserted, on several threads when that pays.
  void run() const;

 private:
  static constexpr std::size_t kOperands = 5;  // the gradient, the weight, three moments

  struct Update {
    detail::RowKernel kernel = nullptr;
    alignas(std::max_align_t) std::array<std::byte, 96> f{};
    Tensor read;  // kept alive
    std::array<void*, kOperands> operands{};
    std::size_t count = 0;  // of operands
    std::size_t reads = 0;  // so many of them, the first, do not change
    Index size = 0;
    std::size_t element_bytes = 0;

    void run(Index begin, Index end) const;
  };

  template <std::size_t Reads, class F, class... More>
  void insert(const F& f, const Tensor& read, Tensor& first, More&... more) {
    constexpr std::size_t kChanged = 1 + sizeof...(More);
    constexpr std::size_t kCount = Reads + kChanged;
    static_assert(kCount <= kOperands && sizeof(F) <= sizeof(Update::f));
    static_assert(std::is_trivially_copyable_v<F>);
    dispatch_floating(first.dtype(), [&]<class T>(T) {
      Update update;
      update.kernel = detail::pointwise_row<T, lambda::Lanes<lambda::Vector<T>>, F,
                                            static_cast<int>(kCount), static_cast<int>(kChanged)>;
      new (update.f.data()) F(f);
      update.read = read;
      auto* operand = update.operands.data();
      if constexpr (Reads == 1) *operand++ = const_cast<T*>(read.data<T>());
      *operand++ = first.mutable_data<T>();
      ((*operand++ = more.template mutable_data<T>()), ...);
      update.count = kCount;
      update.reads = Reads;
      update.size = first.size();
      update.element_bytes = sizeof(T);
      updates_.push_back(std::move(update));
    });
  }

  memory::Vector<Update> updates_;
};

}  // namespace unroll::nn
