#include "training.hpp"

#include "evaluate.hpp"
#include "sample.hpp"

#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <autograd/kernels/threads.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <numbers>
#include <string>
#include <utility>

namespace char_lm {
namespace {

namespace nn = unroll::nn;
using unroll::Error;

constexpr double kSmoothing = 0.05;  // weight of the last step in the loss and the speed shown

volatile std::sig_atomic_t interrupted = 0;

/// The first such signal ends the training after the current step, a second one the program.
void on_interrupt(int signal) {
  interrupted = 1;
  std::signal(signal, SIG_DFL);
}

void handle_signals() {
  interrupted = 0;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    if (std::signal(signal, on_interrupt) == SIG_IGN)
      std::signal(signal, SIG_IGN);  // as nohup wants it
}

}  // namespace

Training::Training(const TrainOptions& options, const Corpus& corpus, Model model)
    : options_(options),
      corpus_(corpus),
      validation_(std::span(corpus.numbers).last(static_cast<std::size_t>(corpus.validation))),
      streams_(std::span(corpus.numbers).first(corpus.numbers.size() - validation_.size()),
               options.batch),
      model_(std::move(model)),
      adam_(model_.parameters(), {.learning_rate = options.learning_rate}),
      batches_((streams_.length() + options.steps - 1) / options.steps) {
  const bool unlimited = !options.epochs && (options.max_steps || options.minutes);
  if (!unlimited) total_ = options.epochs.value_or(kDefaultEpochs) * batches_;
  if (options.max_steps) total_ = std::min(total_, *options.max_steps);
  eval_every_ = options.eval_every > 0 ? options.eval_every : default_eval_every();
}

Index Training::default_eval_every() const {
  // Ten times in a run and at least every 500 steps, unless validating itself would take long then.
  const Index at_least = 7 * corpus_.validation / (options_.batch * options_.steps);
  return std::max({std::min<Index>(1 + (total_ - 1) / 10, 500), at_least, Index{1}});
}

void Training::describe() const {
  const auto& net = model_.options();
  const auto size = static_cast<Index>(corpus_.numbers.size());
  fmt::print("text     {} characters, {} different; the last {} are for validation\n", size,
             corpus_.vocabulary.size(), corpus_.validation);
  fmt::print("unigram  {:.4f} bits per character by character frequencies alone\n",
             unigram_entropy(corpus_.numbers, corpus_.vocabulary.size()));
  fmt::print("network  {}, {} layer{} of {}, embedding {}, dropout {}: {} parameters\n", net.cell,
             net.layers, net.layers == 1 ? "" : "s", net.hidden, net.embedding, net.dropout,
             model_.parameter_count());
  if (options_.resume)
    fmt::print("resumed  \"{}\" after {} steps; Adam and its learning rate start anew\n",
               options_.model, model_.steps());
  fmt::print("training {} streams of {} characters, {} steps each batch, {} batches an epoch\n",
             streams_.count(), streams_.length(), options_.steps, batches_);
  fmt::print("BLAS     {}, {} thread{}\n", unroll::blas_description(), unroll::threads(),
             unroll::threads() == 1 ? "" : "s");
  fmt::print("seed     {}\n", options_.seed);
  std::fflush(stdout);
}

double Training::fraction_done() const {
  double done = static_cast<double>(step_) / static_cast<double>(total_);
  if (options_.minutes) done = std::max(done, (now() - started_) / (*options_.minutes * 60));
  return std::min(done, 1.0);
}

/// From the full rate down to a twentieth along half a cosine.
void Training::set_learning_rate() {
  constexpr double kFloor = 0.05;
  const double fall = 0.5 * (1 + std::cos(std::numbers::pi * fraction_done()));
  adam_.set_learning_rate(options_.learning_rate * (kFloor + (1 - kFloor) * fall));
}

void Training::train_step(Index batch) {
  const double start = now();
  const auto [inputs, targets] = streams_.batch(batch * options_.steps, options_.steps);
  unroll::Tape tape;
  auto [logits, after] = model_(inputs, states_);
  const unroll::Variable cost = cross_entropy(logits, targets);
  unroll::Gradients gradients = tape.gradients(cost);
  const double loss = cost.item();
  gradient_norm_ = nn::clip_by_global_norm(gradients, options_.clip);
  if (!std::isfinite(loss) || !std::isfinite(gradient_norm_))
    throw Error(
        fmt::format("train: the loss ran away at step {} (loss {}, gradient norm {}); try a lower "
                    "--learning-rate or --clip. The model saved last is unharmed",
                    step_ + 1, loss, gradient_norm_));
  set_learning_rate();
  adam_.step(gradients);
  states_ = nn::detach(after);

  ++step_;
  characters_ += targets.size();
  const double seconds = now() - start;
  training_seconds_ += seconds;
  const double weight = step_ == 1 ? 1 : kSmoothing;
  smoothed_loss_ += weight * (loss - smoothed_loss_);
  step_seconds_ += weight * (seconds - step_seconds_);
}

/// A new network is about as good as equal probabilities, on either side of it; one that has
/// trained for a while and is worse will not come back.
void Training::check_bits(double bits) const {
  constexpr Index kFirstSteps = 20;
  const double uniform = std::log2(static_cast<double>(corpus_.vocabulary.size()));
  if (step_ < kFirstSteps || bits <= uniform) return;
  throw Error(fmt::format(
      "train: at step {} the model predicts {} at {:.4f} bits per character, worse than equal "
      "probabilities for all {} characters ({:.4f}); try a lower --learning-rate or --clip, and "
      "see "
      "that the end of the text is like the rest. A model saved before is unharmed",
      step_, validation_.empty() ? "the text" : "the validation text", bits,
      corpus_.vocabulary.size(), uniform));
}

/// Has the present weights saved now or, if that fails, as soon as it works. They stay as they are:
/// the next step copies what it changes.
void Training::keep(const std::string& quality) {
  unsaved_ = model_.file({{"step", std::to_string(model_.steps() + step_)},
                          {"seed", std::to_string(options_.seed)},
                          {"validation_bits_per_character", quality}});
}

/// True when nothing is left to save.
bool Training::save() {
  if (!unsaved_) return true;
  try {
    nn::save_safetensors(options_.model, *unsaved_);
    unsaved_.reset();
  } catch (const Error& error) {
    progress_.note(fmt::format("step {}: not saved, the next validation tries again: {}", step_,
                               error.what()));
  }
  return !unsaved_;
}

void Training::evaluate_and_save() {
  if (validation_.empty()) {
    check_bits(smoothed_loss_ / std::numbers::ln2);
    keep("none");
    if (save()) progress_.note(fmt::format("step {}: saved", step_));
    return;
  }
  model_.eval();
  const Evaluation result = evaluate(model_, validation_);
  model_.train();
  check_bits(result.bits());
  const bool better = result.bits() < best_;
  if (better) {
    best_ = result.bits();
    keep(fmt::format("{:.4f}", best_));
  }
  const bool saved = save();
  progress_.note(fmt::format("step {}: {:.4f} bits per character in validation{}{}", step_,
                             result.bits(), better ? ", the best so far" : "",
                             better && saved ? ": saved" : ""));
}

Status Training::status() const {
  const double elapsed = now() - started_;
  double left = static_cast<double>(total_ - step_) * step_seconds_ * elapsed / training_seconds_;
  if (options_.minutes) left = std::min(left, *options_.minutes * 60 - elapsed);
  return {
      .epoch = epoch_,
      .epochs = total_ == kUnlimited ? 0 : (total_ + batches_ - 1) / batches_,
      .step = step_,
      .total = total_ == kUnlimited ? 0 : total_,
      .loss = smoothed_loss_,
      .characters_per_second = static_cast<double>(options_.batch * options_.steps) / step_seconds_,
      .gradient_norm = gradient_norm_,
      .seconds_left = std::max(left, 0.0)};
}

void Training::run() {
  try {
    train();
  } catch (...) {
    save();  // the best so far may still be waiting
    throw;
  }
}

void Training::train() {
  constexpr Index kFirstSave = 100;  // something to use even if the run is cut short early
  handle_signals();
  if (options_.resume && !validation_.empty()) {
    best_ = evaluate(model_, validation_).bits();
    progress_.note(fmt::format("before:  {:.4f} bits per character in validation", best_));
  }
  model_.train();
  started_ = now();
  while (fraction_done() < 1 && !interrupted) {
    ++epoch_;
    states_.clear();
    for (Index batch = 0; batch < batches_ && fraction_done() < 1 && !interrupted; ++batch) {
      train_step(batch);
      if (progress_.due()) progress_.show(status());
      if (step_ % eval_every_ == 0 && step_ < total_)
        evaluate_and_save();
      else if (step_ == kFirstSave && step_ < eval_every_ && !options_.resume) {
        keep("not yet known");
        save();
      }
    }
  }
  progress_.show(status());
  progress_.finish();
  if (interrupted) progress_.note("interrupted: the training ends here");
  evaluate_and_save();
  if (!save())
    throw Error(
        fmt::format("train: the model could not be saved to \"{}\"; the lines "
                    "above say why",
                    options_.model));
}

void Training::report() const {
  fmt::print("\ntrained on {} characters in {} ({:.1f}k a second)\n", characters_,
             duration(now() - started_),
             static_cast<double>(characters_) / training_seconds_ / 1000);
  const double unigram = unigram_entropy(corpus_.numbers, corpus_.vocabulary.size());
  if (!validation_.empty())
    fmt::print("validation: {:.4f} bits per character; character frequencies alone: {:.4f}\n",
               best_, unigram);
  fmt::print("model: {}\n\nA sample:\n\n", options_.model);
  // From the file: what is shown is what is saved.
  SampleOptions options{.model = options_.model, .length = 400, .seed = options_.seed};
  sample(Model::load(options.model), options, stdout);
}

}  // namespace char_lm
