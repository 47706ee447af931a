#include "training.hpp"

#include "crc32.hpp"
#include "evaluate.hpp"
#include "sample_text.hpp"
#include "visible_text.hpp"

#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <autograd/kernels/threads.hpp>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <numbers>
#include <string>
#include <utility>

namespace lm {
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

Model with_init(Model model, double range) {
  if (range > 0)
    for (unroll::Parameter& parameter : model.parameters())
      parameter.set(unroll::uniform(parameter.shape(), -range, range, parameter.dtype()));
  return model;
}

}  // namespace

std::string run_folder(const std::string& model) { return model + ".run"; }

Training::Training(const TrainOptions& options, const Corpus& corpus, Model model)
    : options_(options),
      corpus_(corpus),
      model_(options.resume ? std::move(model) : with_init(std::move(model), options.init_range)),
      streams_(corpus.train, corpus.vocabulary, {.streams = options.batch}),
      optimizer_(make_optimizer(options.step.optimizer, model_.parameters(),
                                options.step.learning_rate, options.step.weight_decay)),
      folder_(run_folder(options.model), {.keep_last = 2, .keep_best = false}),
      progress_(stdout, options.quiet) {
  if (!corpus.valid.empty()) validation_ = side_by_side(corpus.valid, corpus.vocabulary);
  if (options.step.average > 0)
    average_.emplace(model_.parameters(),
                     nn::AveragedWeightsOptions{.decay = options.step.average});
  steps_per_epoch_ = std::max(1.0, std::floor(static_cast<double>(streams_.tokens()) /
                                              static_cast<double>(options.batch * options.steps)));
  if (options.epochs > 0 || (options.max_steps == 0 && options.minutes == 0))
    total_ = static_cast<double>(options.epochs > 0 ? options.epochs : kDefaultEpochs) *
             steps_per_epoch_;
  if (options.max_steps > 0) total_ = std::min(total_, static_cast<double>(options.max_steps));
  rate_.emplace(options.step.schedule, RunLength{total_, steps_per_epoch_});
  eval_every_ = options.eval_every > 0 ? options.eval_every : default_eval_every();

  checkpoint_.require("network", to_json(model_.options()));
  // With its counts, so that another text of as many symbols is noticed.
  checkpoint_.require("vocabulary", fmt::format("{:08x}", crc32(corpus.vocabulary.serialise())));
  checkpoint_.add("model", model_);
  checkpoint_.add("optimizer", *optimizer_, model_);
  checkpoint_.add("generator", unroll::default_generator());
  checkpoint_.add("states", states_);
  checkpoint_.add("streams", streams_);
  if (average_) checkpoint_.add("average", *average_, model_);
  if (rate_->plateau()) checkpoint_.add("plateau", *rate_->plateau());
  checkpoint_.add("epoch", epoch_);
  checkpoint_.add("step", step_);
  checkpoint_.add("tokens", tokens_);
  checkpoint_.add("seconds", seconds_);
  checkpoint_.add("loss", smoothed_loss_);
  checkpoint_.add("best", best_);
  checkpoint_.add("validated_step", validated_step_);
  if (options.resume) resume();
}

void Training::resume() {
  const nn::LatestCheckpoint latest = folder_.latest();
  for (const std::string& note : latest.notes) progress_.note(note);
  if (latest.path)
    checkpoint_.load(*latest.path);
  else
    progress_.note("there is no whole checkpoint: the run begins anew");
}

Index Training::default_eval_every() const {
  // Ten times in a run and at least every 500 steps, unless validating itself would take long then.
  const Index symbols = validation_ ? validation_->tokens() : 0;
  const Index at_least = 7 * symbols / (options_.batch * options_.steps);
  const double tenth = std::isfinite(total_) ? 1 + (total_ - 1) / 10 : 500;
  return std::max({static_cast<Index>(std::min(tenth, 500.0)), at_least, Index{1}});
}

void Training::describe() const {
  if (options_.quiet) return;
  const auto& net = model_.options();
  fmt::print("text     {} bytes, {} symbols, {} different; validation: {} bytes\n",
             bytes_of(corpus_.train), streams_.tokens(), corpus_.vocabulary.size(),
             bytes_of(corpus_.valid));
  fmt::print("unigram  {:.4f} bits per symbol by symbol frequencies alone\n",
             nn::unigram_entropy(corpus_.vocabulary.counts()));
  fmt::print("network  {}, {} layer{} of {}, embedding {}{}: {} parameters\n", net.cell, net.layers,
             net.layers == 1 ? "" : "s", net.hidden, net.embedding, net.tied ? ", tied" : "",
             model_.parameter_count());
  fmt::print("training {} streams, {} steps each batch, {:.0f} batches an epoch; {}, rate {}, {}\n",
             options_.batch, options_.steps, steps_per_epoch_, options_.step.optimizer,
             options_.step.learning_rate, options_.step.schedule);
  if (step_ > 0) fmt::print("resumed  at step {}\n", step_);
  fmt::print("BLAS     {}, {} thread{}\n", unroll::blas_description(), unroll::threads(),
             unroll::threads() == 1 ? "" : "s");
  fmt::print("seed     {}\n", options_.seed);
  std::fflush(stdout);
}

double Training::elapsed() const { return seconds_ + now() - started_; }

double Training::fraction_done() const {
  double done = static_cast<double>(step_) / total_;
  if (options_.minutes > 0) done = std::max(done, elapsed() / (options_.minutes * 60));
  return std::min(done, 1.0);
}

void Training::set_learning_rate() {
  optimizer_->set_learning_rate(options_.step.learning_rate *
                                rate_->factor(step_, fraction_done()));
}

void Training::next_epoch() {
  ++epoch_;
  streams_.restart();
  states_.clear();
}

void Training::train_step() {
  const double start = now();
  const auto [inputs, targets] = streams_.next(options_.steps);
  unroll::Tape tape;
  auto [outputs, after] = model_.hidden(inputs, states_);
  const unroll::Variable cost = model_.loss(outputs, targets);
  const double factor = options_.step.sum_over_time ? static_cast<double>(inputs.shape()[0]) : 1.0;
  unroll::Gradients gradients = tape.gradients(cost * factor);
  const double loss = cost.item();
  gradient_norm_ = options_.step.clip > 0 ? nn::clip_by_global_norm(gradients, options_.step.clip)
                                          : nn::global_norm(gradients);
  if (!std::isfinite(loss) || !std::isfinite(gradient_norm_))
    throw Error(
        fmt::format("train: the loss ran away at step {} (loss {}, gradient norm {}); try a lower "
                    "--learning-rate or --clip. The model saved last is unharmed",
                    step_ + 1, loss, gradient_norm_));
  set_learning_rate();
  optimizer_->step(gradients);
  if (average_) average_->update();
  states_ = nn::detach(after);

  ++step_;
  tokens_ += targets.size();
  const double weight = step_ == 1 ? 1 : kSmoothing;
  smoothed_loss_ += weight * (loss - smoothed_loss_);
  const double seconds = now() - start;
  step_seconds_ += (step_seconds_ == 0 ? 1 : kSmoothing) * (seconds - step_seconds_);
  log({{"loss", loss},
       {"learning_rate", optimizer_->learning_rate()},
       {"gradient_norm", gradient_norm_}});
}

void Training::open_log() {
  nn::RunLogOptions options{.settings = {{"network", to_json(model_.options())}}};
  if (options_.resume) options.resume_after = step_;
  try {
    const std::string path = run_folder(options_.model) + "/log.jsonl";
    log_.emplace(path, options);
    if (options_.resume) history_ = read_history(path);
  } catch (const Error& error) {
    progress_.note(fmt::format("there is no log: {}", error.what()));
  }
}

/// A log that cannot be written does not end the training.
void Training::log(const nn::RunValues& values) {
  history_.add(step_, values);
  if (!log_) return;
  try {
    log_->write(step_, values);
  } catch (const Error& error) {
    progress_.note(fmt::format("step {}: the log ends here: {}", step_, error.what()));
    log_.reset();
  }
}

/// Draws from a generator of its own, so that the training goes on as without it.
void Training::log_sample(const Model& model) {
  if (options_.sample_length == 0) return;
  const SampleOptions options{.length = options_.sample_length,
                              .seed = options_.seed + static_cast<std::uint64_t>(step_)};
  try {
    log({{"sample", visible_text(sample_text(model, options))}});
  } catch (const Error& error) {
    progress_.note(fmt::format("step {}: no sample: {}", step_, error.what()));
  }
}

/// A picture that cannot be written does not end the training.
void Training::draw_curves() {
  const std::string path = run_folder(options_.model) + "/curves.svg";
  try {
    nn::write_curves(path, history_.losses(), {.y_label = "nats per symbol"});
  } catch (const Error& error) {
    progress_.note(fmt::format("step {}: no curves: {}", step_, error.what()));
  }
}

/// A new network is about as good as equal probabilities, on either side of it; one that has
/// trained for a while and is worse will not come back.
void Training::check_nats(double nats) const {
  constexpr Index kFirstSteps = 20;
  const double uniform = std::log(static_cast<double>(corpus_.vocabulary.size()));
  constexpr double kSlack = 1.02;
  if (step_ < kFirstSteps || nats <= kSlack * uniform) return;
  throw Error(fmt::format(
      "train: at step {} the model predicts {} at {:.4f} nats per symbol, worse than equal "
      "probabilities for all {} symbols ({:.4f}); try a lower --learning-rate or --clip, and see "
      "that the validation text is like the rest. A model saved before is unharmed",
      step_, validation_ ? "the validation text" : "the text", nats, corpus_.vocabulary.size(),
      uniform));
}

/// Has these weights saved at the next save(), or at a later one if that fails. They stay as they
/// are: the next step copies what it changes.
void Training::keep(const Model& model, const std::string& quality) {
  unsaved_ = model.file({{"step", std::to_string(step_)},
                         {"seed", std::to_string(options_.seed)},
                         {"validation_nats", quality}});
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

void Training::set_averages(Model& model) const {
  std::vector<unroll::Parameter> parameters = model.parameters();
  const auto averages = average_->averages();
  for (std::size_t k = 0; k < parameters.size(); ++k) parameters[k].set(averages[k].value.value());
}

void Training::checkpoint() {
  if (!save()) return;  // a run that is resumed from here would not save that model again
  const double before = std::exchange(seconds_, elapsed());
  const double time = std::exchange(started_, now());
  try {
    if (log_) log_->sync();
    folder_.save(checkpoint_, step_);
  } catch (const Error& error) {
    progress_.note(fmt::format("step {}: no checkpoint: {}", step_, error.what()));
    seconds_ = before;
    started_ = time;
  }
  saved_ = now();
}

void Training::validate() {
  validated_ = now();
  validated_step_ = step_;
  Model judged = nn::clone(model_);
  if (average_) set_averages(judged);
  judged.eval();
  if (validation_) {
    validate(judged);
  } else {
    check_nats(smoothed_loss_);
    keep(judged, "none");
    if (save()) progress_.note(fmt::format("step {}: saved", step_));
  }
  log_sample(judged);
  draw_curves();
}

void Training::validate(const Model& judged) {
  const Evaluation result = evaluate(judged, *validation_);
  check_nats(result.nats);
  rate_->observe(result.nats);
  log({{"validation_loss", result.nats}});
  const bool better = result.nats < best_;
  if (better) {
    best_ = result.nats;
    keep(judged, fmt::format("{:.4f}", best_));
  }
  const bool saved = save();
  progress_.note(
      fmt::format("step {}: {:.4f} nats per symbol in validation ({:.4f} bits, "
                  "perplexity {:.3f}){}{}",
                  step_, result.nats, result.bits(), std::exp(result.nats),
                  better ? ", the best so far" : "", better && saved ? ": saved" : ""));
}

Status Training::status() const {
  double left = (total_ - static_cast<double>(step_)) * step_seconds_;
  if (options_.minutes > 0) left = std::min(left, options_.minutes * 60 - elapsed());
  return {
      .epoch = epoch_,
      .epochs = std::isfinite(total_) ? std::llround(std::ceil(total_ / steps_per_epoch_)) : 0,
      .step = step_,
      .total = std::isfinite(total_) ? std::llround(total_) : 0,
      .loss = smoothed_loss_,
      .symbols_per_second = static_cast<double>(options_.batch * options_.steps) / step_seconds_,
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
  handle_signals();
  open_log();
  model_.train();
  started_ = saved_ = validated_ = now();
  while (fraction_done() < 1 && !interrupted) {
    if (streams_.at_end()) next_epoch();
    train_step();
    if (progress_.due()) progress_.show(status());
    // The checkpoint of the last step comes after its validation, so that a run resumed from it
    // does not validate and log twice.
    if (fraction_done() >= 1) break;
    const bool by_time =
        options_.eval_minutes > 0 && now() - validated_ >= options_.eval_minutes * 60;
    if (step_ % eval_every_ == 0 || by_time) {
      validate();
      checkpoint();
    } else if (now() - saved_ >= options_.save_minutes * 60) {
      checkpoint();
    }
  }
  progress_.show(status());
  progress_.finish();
  if (interrupted && fraction_done() < 1) {
    checkpoint();
    if (!std::isfinite(best_) && !std::filesystem::exists(options_.model))
      keep(model_, "not yet known");
    progress_.note(fmt::format("interrupted at step {}: --resume goes on from here", step_));
  } else if (validated_step_ != step_) {
    validate();
    checkpoint();
  }
  if (!save())
    throw Error(
        fmt::format("train: the model could not be saved to \"{}\"; the lines "
                    "above say why",
                    options_.model));
}

void Training::report() const {
  fmt::print("trained on {} symbols in {}\n", tokens_, duration(elapsed()));
  if (std::isfinite(best_))
    fmt::print("validation: {:.4f} nats per symbol, {:.4f} bits, perplexity {:.3f}\n", best_,
               best_ / std::numbers::ln2, std::exp(best_));
  fmt::print("model: {}\n", options_.model);
}

}  // namespace lm
