#pragma once

#include <autograd/tape/deep_copies.hpp>
#include <autograd/tensor/error.hpp>

#include <concepts>
#include <memory>
#include <string>
#include <typeinfo>
#include <utility>

namespace unroll::nn {

/// An object of any class derived from Base: what layers hold of a user's class. A handle, of which
/// copies share the object; nn::clone() of what holds it copies the object too.
template <class Base>
class Any {
 public:
  template <std::derived_from<Base> D>
  Any(D object) : object_(std::make_shared<const D>(std::move(object))) {
    if constexpr (std::copy_constructible<D>)
      copy_ = [](const Base& original) -> std::shared_ptr<const Base> {
        return std::make_shared<const D>(static_cast<const D&>(original));
      };
  }
  Any(const Any& other) : object_(other.object_), copy_(other.copy_) {
    auto* deep = unroll::detail::DeepCopies::active();
    if (!deep || !object_) return;
    if (!copy_)
      throw ArgumentError(std::string("clone: an object has no copy constructor, so it cannot be "
                                      "copied (class ") +
                          typeid(*object_).name() + ")");
    object_ = deep->of(object_, [&] { return copy_(*object_); });
  }
  Any(Any&&) noexcept = default;
  Any& operator=(const Any&) = default;
  Any& operator=(Any&&) noexcept = default;
  ~Any() = default;

  const Base& operator*() const { return *object_; }
  const Base* operator->() const { return object_.get(); }

  /// Another object of the class as it is now, which shares the parameters: what is done to members
  /// of its own stays with it. The object itself where the class cannot be copied.
  Any snapshot() const {
    Any other = *this;
    if (copy_) other.object_ = copy_(*object_);
    return other;
  }

 private:
  std::shared_ptr<const Base> object_;
  std::shared_ptr<const Base> (*copy_)(const Base&) = nullptr;
};

}  // namespace unroll::nn
