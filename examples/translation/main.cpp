// Translation (lecture 003, "Motivation"): an encoder-decoder with attention writes what it reads
// in digits, number by number and date by date.
//
//     three hundred and five -> 305          3rd of May 1987 -> 1987-05-03
//
// One model learns both, from items that are generated, and is asked about others: numbers and
// dates that it never saw, and numbers of five and of eight words, lengths that it never saw.
#include <fmt/format.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "common/example.hpp"
#include "common/picture.hpp"
#include "translation/items.hpp"

using namespace unroll;
using namespace translation;

namespace {

const std::string kDigits = "0123456789-";  // the target's symbols
constexpr nn::SequenceMarks kMarks{.start = 11, .end = 12};
constexpr Index kHidden = 64;

nn::SymbolBatch sources_of(const std::vector<Item>& items) {
  static const Words words = vocabulary();
  std::vector<std::vector<Index>> sequences(items.size());
  for (std::size_t k = 0; k < items.size(); ++k)
    for (const std::string& word : items[k].source)
      sequences[k].push_back(std::find(words.begin(), words.end(), word) - words.begin());
  return nn::SymbolBatch::of(sequences);
}

nn::SymbolBatch targets_of(const std::vector<Item>& items) {
  std::vector<std::vector<Index>> sequences(items.size());
  for (std::size_t k = 0; k < items.size(); ++k)
    for (const char symbol : items[k].target)
      sequences[k].push_back(static_cast<Index>(kDigits.find(symbol)));
  return nn::SymbolBatch::of(sequences);
}

std::vector<std::string> translations(const nn::EncoderDecoder& model,
                                      const std::vector<Item>& items) {
  std::vector<std::string> texts;
  for (const auto& found : model.beam_search(sources_of(items), {.width = 3, .max_length = 15})) {
    texts.emplace_back();
    for (const Index symbol : found[0].symbols)
      texts.back() += symbol < kMarks.start ? kDigits[static_cast<std::size_t>(symbol)] : '?';
  }
  return texts;
}

/// The share of items that are translated without an error.
template <class Draw>
double accuracy(const nn::EncoderDecoder& model, int count, const Draw& draw) {
  std::vector<Item> items;
  for (int k = 0; k < count; ++k) items.push_back(draw());
  const std::vector<std::string> found = translations(model, items);
  double right = 0.0;
  for (std::size_t k = 0; k < items.size(); ++k) right += found[k] == items[k].target ? 1.0 : 0.0;
  return right / count;
}

/// Where the decoder attends while it writes the right answer.
example::Panel heat_map(const nn::EncoderDecoder& model, const Item& item) {
  const Tensor weights = model(sources_of({item}), targets_of({item})).weights.value();  // [T,1,K]
  std::string words, symbols;
  std::vector<double> x, y, weight;
  for (std::size_t k = 0; k < item.source.size(); ++k)
    words += fmt::format("{}'{}' {}", k > 0 ? ", " : "", item.source[k], k);
  for (std::size_t t = 0; t <= item.target.size(); ++t) {
    symbols += t < item.target.size() ? fmt::format("'{}' {}, ", item.target[t], t)
                                      : fmt::format("'end' {}", t);
    for (std::size_t k = 0; k < item.source.size(); ++k) {
      x.push_back(static_cast<double>(k));
      y.push_back(static_cast<double>(t));
      weight.push_back(weights.at({static_cast<Index>(t), 0, static_cast<Index>(k)}));
    }
  }
  example::Panel panel("Attention while it writes " + item.target, "read", "written");
  panel.set("xtics (" + words + ")").set("ytics (" + symbols + ")").set("key off");
  panel.set(fmt::format("xrange [-0.5:{}]", static_cast<double>(item.source.size()) - 0.5));
  panel.set(fmt::format("yrange [{}:-0.5]", static_cast<double>(item.target.size()) + 0.5));
  panel.set("palette defined (0 '#ffffff', 1 '#08519c')").set("cbrange [0:1]");
  panel.set("cblabel 'attention weight'");
  return panel.curve("", "with image", {x, y, weight});
}

struct Question {
  std::string name;
  Item (*draw)();
  example::Range expected;
  std::vector<double> accuracies = {};  // while learning
};

void program(const example::Options& options) {
  const int updates = options.quick ? 100 : 1000;
  nn::EncoderDecoder model(
      nn::Encoder(static_cast<Index>(vocabulary().size()),
                  nn::Bidirectional(nn::GRU(32, kHidden / 2), nn::GRU(32, kHidden / 2))),
      nn::AttentionDecoder(13, nn::GRU(16 + kHidden, kHidden),
                           nn::AdditiveAttention(kHidden, kHidden, kHidden / 2)),
      kMarks);
  nn::Adam adam(model.parameters());
  std::vector<Question> questions{
      {"numbers never seen", [] { return number(true); }, {0.98, 1}},
      {"dates never seen", [] { return date(true); }, {0.98, 1}},
      {"numbers of 5 words, never seen", [] { return number_of_words(5); }, {0.95, 1}},
      {"numbers of 8 words, never seen", [] { return number_of_words(8); }, {0.95, 1}},
      {"numbers of 6 digits, never seen", [] { return number_of_digits(6); }, {0, 0.2}}};
  std::vector<double> update;
  for (int k = 1; k <= updates; ++k) {
    std::vector<Item> items;
    for (int b = 0; b < 64; ++b) items.push_back(b % 2 == 0 ? number(false) : date(false));
    adam.set_learning_rate(3e-3 * (1.0 - static_cast<double>(k - 1) / updates));
    Tape tape;
    Gradients gradients = tape.gradients(model.loss(sources_of(items), targets_of(items)));
    nn::clip_by_global_norm(gradients, 1.0);
    adam.step(gradients);
    if (k % 50 != 0) continue;
    update.push_back(k);
    for (Question& question : questions)
      question.accuracies.push_back(accuracy(model, 50, question.draw));
  }

  const Item a_number{spoken(40305), "40305"}, a_date = date(true);
  const std::vector<Item> shown{a_number, a_date, number_of_words(8), number_of_digits(6)};
  const std::vector<std::string> found = translations(model, shown);
  for (std::size_t k = 0; k < shown.size(); ++k)
    fmt::print("{} -> {}{}\n", fmt::join(shown[k].source, " "), found[k],
               found[k] == shown[k].target ? "" : ", wrong");
  fmt::print(
      "\nLook at the attention: a digit is written while its word is read, and a 0 without a word\n"
      "while the words around it are. That carries over to numbers of unseen lengths, but not to "
      "an\n"
      "answer with more digits than any that was learnt.\n\n");
  example::Panel learning("Translated without an error, of what was never seen", "update",
                          "fraction of the items");
  learning.set("yrange [-0.05:1.05]").set("key center center");
  for (const Question& question : questions) {
    example::figure(question.name, accuracy(model, options.quick ? 20 : 500, question.draw),
                    question.expected);
    learning.curve(question.name, "with linespoints lw 2", {update, question.accuracies});
  }
  example::draw(options.picture, {learning, heat_map(model, a_number), heat_map(model, a_date)});
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "translation",
                      "An encoder-decoder with attention writes numbers and dates in digits.",
                      program);
}
