// Part-of-speech tagging (lecture 003, "Applications"): an LSTM that reads a sentence both ways
// gives each word its tag.
//
// The sentences come from a hidden Markov model whose words often have several tags: time flies
// like an arrow. The model is known, and with it the best possible tagger: it takes the tag with
// the largest posterior probability, which the forward-backward algorithm computes. The forward
// recursion alone gives the best tagger that sees only the words so far; an LSTM that reads one way
// can at most reach that. With --conllu FILE the sentences are those of a treebank.
#include <fmt/core.h>
#include <CLI/CLI.hpp>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "baselines.hpp"
#include "batch.hpp"
#include "common/example.hpp"
#include "common/picture.hpp"
#include "corpus.hpp"
#include "grammar.hpp"

using namespace unroll;
using tagger::Batch, tagger::Corpus, tagger::Grammar, tagger::Tags, tagger::Vocabulary;

namespace {

constexpr Index kEmbedding = 24, kHidden = 32;
constexpr std::size_t kBatch = 32;

struct Tagger : nn::Module {
  Tagger(const Vocabulary& vocabulary, const nn::Stacked& layers, Index outputs)
      : embed(add("embed", nn::Embedding(vocabulary.words(), kEmbedding))),
        rnn(add("rnn", layers)),
        head(add("head", nn::Linear(outputs, static_cast<Index>(vocabulary.tags().size())))) {}

  Variable operator()(const Batch& batch) const {  // [T,B,tags]
    return head(rnn(embed(batch.words), {}, {.lengths = batch.lengths}).outputs);
  }
  nn::Embedding embed;
  nn::Stacked rnn;
  nn::Linear head;
};

Tags tags_by(const Tagger& model, const Corpus& corpus, const Vocabulary& vocabulary) {
  Tags tags;
  for (std::size_t first = 0; first < corpus.size(); first += kBatch) {
    const auto some = std::span(corpus).subspan(first, std::min(kBatch, corpus.size() - first));
    const auto best = argmax(model(Batch(some, vocabulary)), -1).to_vector<Index>();
    for (std::size_t b = 0; b < some.size(); ++b) {
      tags.emplace_back();
      for (std::size_t t = 0; t < some[b].words.size(); ++t)
        tags.back().push_back(
            vocabulary.tags()[static_cast<std::size_t>(best[t * some.size() + b])]);
    }
  }
  return tags;
}

/// Trains, and returns the accuracy on the test sentences after each pass.
std::vector<double> train(const Tagger& model, const Corpus& learnt, const Corpus& test,
                          const Vocabulary& vocabulary, int passes) {
  nn::Adam adam(model.parameters(), {.learning_rate = 5e-3});
  std::vector<double> accuracies;
  for (int pass = 0; pass < passes; ++pass) {
    adam.set_learning_rate(5e-3 * (1.0 - 0.9 * pass / passes));
    const auto order = permutation(static_cast<Index>(learnt.size())).to_vector<Index>();
    for (std::size_t first = 0; first + kBatch <= order.size(); first += kBatch) {
      Corpus some;
      for (std::size_t k = first; k < first + kBatch; ++k)
        some.push_back(learnt[static_cast<std::size_t>(order[k])]);
      const Batch batch(some, vocabulary);
      Tape tape;
      Gradients gradients = tape.gradients(cross_entropy(model(batch), batch.tags));
      nn::clip_by_global_norm(gradients, 1.0);
      adam.step(gradients);
    }
    accuracies.push_back(accuracy(tags_by(model, test, vocabulary), test));
  }
  return accuracies;
}

void program(const example::Options& options, const std::string& conllu) {
  const Grammar grammar;
  Corpus learnt, test;
  if (conllu.empty()) {
    for (int k = 0; k < (options.quick ? 300 : 12000); ++k) learnt.push_back(grammar.sample());
    for (int k = 0; k < (options.quick ? 200 : 2000); ++k) test.push_back(grammar.sample());
  } else {
    learnt = tagger::read_conllu(conllu);
    if (learnt.size() < 2 * kBatch)
      throw ArgumentError(fmt::format("{}: {} sentences are too few, at least {} are needed",
                                      conllu, learnt.size(), 2 * kBatch));
    const auto tenth = learnt.end() - static_cast<std::ptrdiff_t>(learnt.size() / 10);
    test.assign(tenth, learnt.end());
    learnt.erase(tenth, learnt.end());
  }
  const Vocabulary vocabulary(learnt);
  const int passes = options.quick ? 2 : 6;
  const Tagger both(
      vocabulary,
      nn::Stacked(nn::Bidirectional(nn::LSTM(kEmbedding, kHidden), nn::LSTM(kEmbedding, kHidden))),
      2 * kHidden);
  const Tagger one(vocabulary, nn::Stacked(nn::LSTM(kEmbedding, 2 * kHidden)), 2 * kHidden);
  const std::vector<double> both_ways = train(both, learnt, test, vocabulary, passes);
  const std::vector<double> one_way = train(one, learnt, test, vocabulary, passes);
  const double frequent = accuracy(most_frequent_tags(learnt, test, vocabulary), test);

  fmt::print("{} sentences to learn from, {} to test, {} words, {} tags\n\nFor instance:\n",
             learnt.size(), test.size(), vocabulary.words() - 1, vocabulary.tags().size());
  Corpus short_ones;
  for (const tagger::Sentence& sentence : test)
    if (sentence.words.size() <= 8 && short_ones.size() < 3) short_ones.push_back(sentence);
  const Tags found = tags_by(both, short_ones, vocabulary);
  for (std::size_t s = 0; s < found.size(); ++s) {
    for (std::size_t t = 0; t < found[s].size(); ++t)
      fmt::print("  {}/{}{}", short_ones[s].words[t], found[s][t],
                 found[s][t] == short_ones[s].tags[t] ? "" : " (" + short_ones[s].tags[t] + ")");
    fmt::print("\n");
  }
  std::vector<double> pass;
  for (int k = 1; k <= passes; ++k) pass.push_back(k);
  example::Panel panel("Accuracy on new sentences", "passes over the sentences to learn from",
                       "accuracy (fraction of words)");
  panel.set("key bottom right").set("yrange [0.5:1]");
  const auto line = [&](const std::string& name, double level, const std::string& colour) {
    panel.curve(name, "with lines dt 2 lw 2 lc rgb '" + colour + "'",
                {{1.0, pass.back()}, {level, level}});
  };
  panel.curve("LSTM, both ways", "with linespoints lw 2 pt 7 lc rgb '#08519c'", {pass, both_ways});
  panel.curve("LSTM, one way", "with linespoints lw 2 pt 5 lc rgb '#d95f02'", {pass, one_way});
  line("most frequent tag", frequent, "#666666");

  fmt::print(
      "\nLook at what the words to come are worth, and at how little is left to be had.\n\n");
  if (conllu.empty()) {
    const Tags whole = best_tags(grammar, test, &Grammar::given_all_words);
    const Tags so_far = best_tags(grammar, test, &Grammar::given_the_words_so_far);
    const double limit = accuracy(whole, test), limit_so_far = accuracy(so_far, test);
    line("limit, whole sentence", limit, "#08519c");
    line("limit, words so far", limit_so_far, "#d95f02");
    example::figure("most frequent tag of each word", frequent, {0.72, 0.75});
    example::figure("LSTM, one way", one_way.back(), {0.82, 0.85});
    example::figure("LSTM, one way, below the limit", limit_so_far - one_way.back(),
                    {-0.002, 0.01});
    example::figure("LSTM, both ways", both_ways.back(), {0.91, 0.935});
    example::figure("LSTM, both ways, below the limit", limit - both_ways.back(), {-0.002, 0.01});
  } else {
    example::figure("most frequent tag of each word", frequent, {0.0, 1.0});
    example::figure("LSTM, one way", one_way.back(), {frequent, 1.0});
    example::figure("LSTM, both ways", both_ways.back(), {frequent, 1.0});
  }
  example::draw(options.picture, {panel});
}

}  // namespace

int main(int argc, char** argv) {
  std::string conllu;
  return example::run(
      argc, argv, "tagger", "Part-of-speech tagging with an LSTM that reads both ways.",
      [&](CLI::App& app) {
        app.add_option("--conllu", conllu,
                       "sentences of this CoNLL-U file; its last tenth is for the test");
      },
      [&](const example::Options& options) { program(options, conllu); });
}
