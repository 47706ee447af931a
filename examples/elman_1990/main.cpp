// Two experiments of Elman, Finding structure in time (1990; lecture 000, "Simple Recurrent
// Network"): a simple recurrent network predicts the next element of a sequence, and its error
// shows which elements are determined by what came before.
// 1. Temporal XOR: two random bits, then their exclusive or, and so on.
// 2. Letters: b, d and g at random, each followed by its vowels: ba, dii, guuu.
// As in the paper, the context is a constant input, and for the letters there are its vectors, 20
// hidden units and 200 passes. Adam, streams side by side and 24 units for XOR, not 2, are ours.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <array>
#include <cmath>
#include <set>
#include <string>

#include "common/example.hpp"
#include "common/picture.hpp"

using namespace unroll;

namespace {

constexpr Index kStreams = 16;  // learnt side by side

struct SimpleRecurrentNet : nn::Module {
  SimpleRecurrentNet(Index inputs, Index hidden)
      : rnn(add("rnn", nn::Recurrent(nn::Elman(inputs, hidden, {.activation = sigmoid})))),
        readout(add("readout", nn::Linear(hidden, inputs))) {}
  nn::Recurrent rnn;
  nn::Linear readout;
};

/// One pass over `x: [T,B,I]`, with an update after every step if there is an optimizer. Returns
/// the root mean squared error of predicting x[t+1] at each t, over streams and bits.
std::vector<double> pass(const SimpleRecurrentNet& net, const Tensor& x, nn::Adam* adam) {
  std::vector<double> errors;
  nn::State context;
  for (Index t = 0; t + 1 < x.size(0); ++t) {
    Tape tape;
    auto [hidden, state] = net.rnn(x.slice(0, t, t + 1), context);
    const Variable prediction = sigmoid(net.readout(hidden));
    const Variable loss = mean(square(prediction - x.slice(0, t + 1, t + 2)));
    if (adam) adam->step(tape.gradients(loss));
    context = detach(state);
    errors.push_back(std::sqrt(loss.item()));
  }
  return errors;
}

SimpleRecurrentNet trained(const Tensor& x, Index hidden, Index passes) {
  SimpleRecurrentNet net(x.size(2), hidden);
  nn::Adam adam(net.parameters(), {.learning_rate = 0.003});
  for (Index k = 0; k < passes; ++k) pass(net, x, &adam);
  return net;
}

/// Bits in which every third is the exclusive or of the two before: [T,B,1].
Tensor xor_bits(Index steps) {
  std::vector<float> x(static_cast<std::size_t>(steps * kStreams));
  for (std::size_t k = 0; k < x.size(); ++k) {
    const bool determined = k / kStreams % 3 == 2;
    x[k] = determined ? std::abs(x[k - kStreams] - x[k - 2 * kStreams])
                      : static_cast<float>(example::below(2));
  }
  return Tensor::of({steps, kStreams, 1}, x);
}

std::string text_of(Index count) {
  std::string text;
  while (static_cast<Index>(text.size()) < count)
    text += std::array{"ba", "dii", "guuu"}[static_cast<std::size_t>(example::below(3))];
  return text.substr(0, static_cast<std::size_t>(count));
}

/// Table 1 of the paper: consonant, vowel, interrupted, high, back, voiced.
Tensor features(const std::vector<std::string>& streams) {
  const Tensor code =
      Tensor::of<float>({6, 6}, {1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 1,    // b, d, g
                                 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1});  // a, i, u
  std::vector<Index> numbers;                                                             // [T,B]
  for (std::size_t t = 0; t < streams[0].size(); ++t)
    for (const std::string& text : streams)
      numbers.push_back(static_cast<Index>(std::string("bdgaiu").find(text[t])));
  const auto steps = static_cast<Index>(streams[0].size());
  return embedding(code, Tensor::of({steps, static_cast<Index>(streams.size())}, numbers)).value();
}

/// The root mean square of the errors of predicting the elements that are `wanted`.
double rms(const std::vector<double>& errors, const std::vector<std::string>& elements,
           const std::set<std::string>& wanted) {
  std::vector<double> squares;
  for (std::size_t t = 0; t < errors.size(); ++t)
    if (wanted.contains(elements[t])) squares.push_back(errors[t] * errors[t]);
  return std::sqrt(mean(Tensor::of({Index(squares.size())}, squares)).item());
}

/// The first 24 errors, with what was to be predicted below.
example::Panel panel(const std::string& title, const std::vector<double>& errors,
                     const std::vector<std::string>& elements) {
  std::vector<double> at;
  std::string tics;
  for (std::size_t t = 0; t < 24; ++t) {
    at.push_back(static_cast<double>(t));
    tics += fmt::format("{}'{}' {}", t == 0 ? "" : ", ", elements[t], t);
  }
  return example::Panel(title, "element to predict", "RMS error")
      .set("yrange [0:0.7]")
      .set("xtics (" + tics + ")")
      .curve("", "with linespoints lw 2 pt 7", {at, {errors.begin(), errors.begin() + 24}});
}

void program(const example::Options& options) {
  const Index passes = options.quick ? 40 : 200;
  const SimpleRecurrentNet bit_net = trained(xor_bits(options.quick ? 60 : 600), 24, passes);
  const std::vector<double> bit_errors = pass(bit_net, xor_bits(601), nullptr);
  std::vector<std::string> bits;  // each is predicted one step before
  for (std::size_t t = 1; t <= bit_errors.size(); ++t) bits.emplace_back(t % 3 == 2 ? "xor" : "?");

  std::vector<std::string> streams(kStreams);
  for (std::string& stream : streams) stream = text_of(options.quick ? 60 : 400);
  const SimpleRecurrentNet letter_net = trained(features(streams), 20, passes);
  const std::string text = text_of(601);
  const std::vector<double> letter_errors = pass(letter_net, features({text}), nullptr);
  std::vector<std::string> letters;
  for (std::size_t t = 1; t < text.size(); ++t) letters.push_back(text.substr(t, 1));

  fmt::print("Look at which errors are small: those of the elements that are determined.\n\n");
  example::figure("XOR: RMS error of the random bits", rms(bit_errors, bits, {"?"}), {0.49, 0.55});
  example::figure("XOR: RMS error of the determined bits", rms(bit_errors, bits, {"xor"}),
                  {0, 0.3});
  // The best guess does not know which consonant comes: sqrt((2/9 + 2/9) / 6) = 0.272.
  example::figure("letters: RMS error of the consonants",
                  rms(letter_errors, letters, {"b", "d", "g"}), {0.26, 0.3});
  example::figure("letters: RMS error of the vowels", rms(letter_errors, letters, {"a", "i", "u"}),
                  {0, 0.05});
  example::draw(
      options.picture,
      {panel("Temporal XOR, 16 streams: random bits (?) and determined ones", bit_errors, bits),
       panel("Letters: b, d, g come at random and determine their vowels", letter_errors,
             letters)});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "elman_1990",
                      "Elman's simple recurrent network finds structure in time.", program);
}
