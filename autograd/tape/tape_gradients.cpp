#include <autograd/tape/activation.hpp>
#include <autograd/tape/record.hpp>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

/// The backward pass over what a tape has recorded.
namespace unroll {

/// Tells the observer of a vjp that runs, and that it has ended, also by an exception.
class Tape::ObservedVjp {
 public:
  ObservedVjp(const Tape& tape, std::size_t node, std::span<const Variable> gradients)
      : observer_(tape.observer_) {
    if (observer_) [[unlikely]]
      observer_->vjp_begins(tape, tape.nodes_[node].operation, node, gradients);
  }
  ~ObservedVjp() {
    if (observer_) [[unlikely]]
      observer_->vjp_ended();
  }
  ObservedVjp(const ObservedVjp&) = delete;
  ObservedVjp& operator=(const ObservedVjp&) = delete;

 private:
  extension::TapeObserver* observer_;
};

void Tape::check_output(const Variable& output, const Variable& seed) const {
  if (output.tape_ != id_)
    throw TapeError(output.recorded()
                        ? "gradients: the loss belongs to another tape"
                        : "gradients: the loss is a constant; it depends on no parameter and no "
                          "watched variable of this tape");
  if (seed.shape() != output.shape())
    throw ShapeError("gradients: the seed has shape " + to_string(seed.shape()) +
                     ", the loss has " + to_string(output.shape()));
  if (seed.dtype() != output.dtype())
    throw DtypeError("gradients: the seed is " + describe(seed.value()) + ", the loss is " +
                     describe(output.value()));
}

Gradients Tape::gradients(const Variable& loss, const GradientOptions& options) {
  if (!options.seed.defined() && loss.recorded() && loss.value().size() != 1)
    throw ShapeError("gradients: the loss must have one element, its shape is " +
                     to_string(loss.shape()) +
                     "; reduce it with sum or mean, or give a seed of that shape");
  const Variable seed =
      options.seed.defined() ? options.seed : Variable(ones(loss.shape(), loss.dtype()));
  check_output(loss, seed);
  return gradients({&loss, 1}, {&seed, 1}, options);
}

Gradients Tape::gradients(std::span<const Variable> outputs, std::span<const Variable> seeds,
                          const GradientOptions& options) {
  check_thread("gradients");
  if (outputs.size() != seeds.size())
    throw ArgumentError("gradients: there are " + std::to_string(outputs.size()) + " outputs and " +
                        std::to_string(seeds.size()) + " seeds");
  for (const Variable& wanted : options.of)
    if (wanted.tape_ != id_)
      throw TapeError(
          "gradients: a variable named in `of` is a constant or belongs to another tape");
    else if (wanted.base_ != 0)
      throw TapeError("gradients: a variable named in `of`, " + describe(wanted.value()) +
                      ", is a view of another one (by slice, select, split, reshape, transpose or "
                      "alike) and has no gradient of its own; make it clone(...) of the view");

  const Activation activation(options.differentiable ? this : nullptr);
  const bool keep = options.retain || options.differentiable;
  if (!keep) packing_.clear();  // a backward pass multiplies with the transposes
  BackwardPass pass(*this, slots_, options.differentiable);
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    if (!seeds[k].defined() || !outputs[k].recorded()) continue;
    check_output(outputs[k], seeds[k]);
    pass.add(outputs[k], seeds[k]);
  }

  Gradients result;
  result.tape_ = id_;
  backward(pass, options, result);
  if (!keep) packing_.clear();
  for (const Variable& leaf : watched_) {
    Variable gradient = pass.take(leaf.slot_);
    if (!gradient.defined()) gradient = Variable(leaf.value());
    if (observer_ && gradient.defined()) [[unlikely]]
      observer_->gathered(*this, leaf.slot_, gradient);
    result.variables_.push_back({leaf.slot_, std::move(gradient)});
  }
  for (const auto& [parameter, leaf] : parameters_) {
    if (!leaf.recorded()) continue;  // frozen
    ParameterGradient entry{parameter, leaf.slot_, {}, {}};
    entry.dense = pass.take(leaf.slot_, options.differentiable ? nullptr : &entry.rows);
    if (!entry.dense.defined() && entry.rows.empty()) {
      result.variables_.push_back({leaf.slot_, Variable(leaf.value())});
      continue;
    }
    if (observer_) [[unlikely]]
      observer_->gathered(*this, leaf.slot_, entry.dense);
    result.parameters_.push_back(std::move(entry));
  }
  return result;
}

void Tape::backward(BackwardPass& pass, const GradientOptions& options, Gradients& result) {
  const bool keep = options.retain || options.differentiable;
  memory::Vector<Variable> gradients;
  for (std::size_t at = nodes_.size(); at-- > 0;) {
    const Node node = nodes_[at];  // by value: a backward pass that is recorded grows the vector
    bool reached = false;
    if (node.first_slot < pass.terms_.size())
      for (std::uint32_t k = 0; k < node.outputs; ++k)
        reached |= pass.has_terms(node.first_slot + k);
    else
      continue;  // recorded by this very backward pass
    if (reached) {
      if (!node.closure)
        throw TapeError(
            std::string("gradients: what ") + node.operation +
            " saved was freed when gradients were taken before; take them once, or with "
            "{.retain = true} the first time");
      gradients.clear();
      for (std::uint32_t k = 0; k < node.outputs; ++k) {
        gradients.push_back(pass.take(node.first_slot + k));
        for (const Variable& wanted : options.of)
          if (wanted.slot_ == node.first_slot + k && gradients.back().defined())
            result.variables_.push_back({wanted.slot_, gradients.back()});
      }
      const ObservedVjp observed(*this, at, gradients);
      pass.operation_ = node.operation;
      node.closure->backward(gradients, pass);
      pass.tape();
    }
    if (!keep && reached) {
      nodes_[at].closure = nullptr;
      node.closure->destroy();
    }
  }
  for (const Variable& wanted : options.of) {
    const bool known = std::any_of(result.variables_.begin(), result.variables_.end(),
                                   [&](const auto& entry) { return entry.slot == wanted.slot_; });
    if (!known && !pass.has_terms(wanted.slot_))
      result.variables_.push_back({wanted.slot_, Variable(wanted.value().without_buffer())});
  }
}

std::vector<std::pair<std::uint32_t, Variable>> Tape::pull(std::size_t node,
                                                           std::span<const Variable> gradients,
                                                           bool differentiable) {
  const Node at = nodes_.at(node);  // by value, as in backward
  if (!at.closure) throw TapeError(std::string("pull: what ") + at.operation + " saved was freed");
  const Activation activation(differentiable ? this : nullptr);
  BackwardPass pass(*this, slots_, differentiable);
  pass.operation_ = at.operation;
  at.closure->backward(gradients, pass);
  pass.tape();
  std::vector<std::pair<std::uint32_t, Variable>> terms;
  for (std::uint32_t slot = 0; slot < at.first_slot; ++slot)
    if (pass.has_terms(slot)) terms.emplace_back(slot, pass.take(slot));
  return terms;
}

}  // namespace unroll
