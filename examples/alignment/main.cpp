// Protein sequence alignment (lecture 003, "Applications"): which letters of two sequences have a
// common ancestor?
//
// A bidirectional GRU reads both sequences and gives each pair of letters a match score; the
// dynamic programme of Needleman and Wunsch, made smooth, adds the scores up over all alignments.
// The gradient of that sum with respect to the scores is the probability of each pair to be
// aligned. The loss is the distance of these probabilities from the true alignment, so training
// differentiates the gradient once more. The classical alignment has one score for each two amino
// acids wherever they stand; the network can learn that gaps are in the loops of a protein and not
// in its cores.
#include <fmt/core.h>
#include <autograd/autograd.hpp>
#include <nn/nn.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "common/example.hpp"
#include "common/picture.hpp"
#include "needleman_wunsch.hpp"
#include "proteins.hpp"
#include "soft_alignment.hpp"

using namespace unroll;
using namespace alignment;

namespace {

constexpr Index kLongest = 48, kEmbedding = 16, kHidden = 32, kFeatures = 24;
constexpr std::size_t kBatch = 16;

using Families = std::vector<Family>;

Families random_families(int count) {
  Families families;
  for (int k = 0; k < count; ++k) families.push_back(random_family(kLongest));
  return families;
}

struct Batch {
  explicit Batch(std::span<const Family> families) {
    const std::size_t count = families.size(), longest = kLongest;
    std::vector<Index> x(longest * count), y(longest * count);
    std::vector<float> a(count * longest * longest);
    for (std::size_t b = 0; b < count; ++b) {
      const Family& family = families[b];
      for (std::size_t i = 0; i < family.x.size(); ++i) x[i * count + b] = family.x[i];
      for (std::size_t j = 0; j < family.y.size(); ++j) y[j * count + b] = family.y[j];
      for (const auto& [i, j] : family.aligned)
        a[(b * longest + static_cast<std::size_t>(i)) * longest + static_cast<std::size_t>(j)] = 1;
      lengths.first.push_back(static_cast<Index>(family.x.size()));
      lengths.second.push_back(static_cast<Index>(family.y.size()));
    }
    const auto pairs = static_cast<Index>(count);
    first = Tensor::of({kLongest, pairs}, x);
    second = Tensor::of({kLongest, pairs}, y);
    aligned = Tensor::of({pairs, kLongest, kLongest}, a);
  }
  Tensor first, second;  ///< [T,B]
  Tensor aligned;        ///< [B,T,T], 1 for true pairs
  Lengths lengths;
};

struct Aligner : nn::Module {
  nn::Embedding embed = add("embed", nn::Embedding(20, kEmbedding));
  nn::Bidirectional rnn =
      add("rnn", nn::Bidirectional(nn::GRU(kEmbedding, kHidden), nn::GRU(kEmbedding, kHidden)));
  nn::Linear head = add("head", nn::Linear(kEmbedding + 2 * kHidden, kFeatures + 1));

  /// A vector of each letter, and how readily it is aligned at all: [B,T,F] and [B,T,1].
  std::vector<Variable> features(const Tensor& letters, const std::vector<Index>& lengths) const {
    const Variable embedded = embed(letters);
    const Variable all = head(concat({embedded, rnn(embedded, {}, {.lengths = lengths}).outputs}));
    const std::vector<Index> sizes{kFeatures, 1};
    return split(transpose(all, 0, 1), sizes);
  }
  /// The probability of each two letters to be aligned: [B,T,T].
  Variable operator()(const Batch& batch) const {
    const auto x = features(batch.first, batch.lengths.first);
    const auto y = features(batch.second, batch.lengths.second);
    const Variable match = matmul(x[0], transpose(y[0])) + x[1] + transpose(y[1]);
    return expected_alignment(match, batch.lengths);
  }
};

/// Pairs that are more likely aligned than not. No two of them exclude each other.
Pairs likely_pairs(const Tensor& probability, const Family& family) {
  Pairs pairs;
  for (Index i = 0; i < static_cast<Index>(family.x.size()); ++i)
    for (Index j = 0; j < static_cast<Index>(family.y.size()); ++j)
      if (probability.at({i, j}) > 0.5) pairs.emplace_back(i, j);
  return pairs;
}

Quality quality(const Aligner& aligner, const Families& families) {
  Quality result;
  for (std::size_t first = 0; first < families.size(); first += kBatch) {
    const auto some = std::span(families).subspan(first, std::min(kBatch, families.size() - first));
    const Tensor probability = aligner(Batch(some)).value();
    for (std::size_t b = 0; b < some.size(); ++b)
      result.add(some[b].aligned,
                 likely_pairs(probability.select(0, static_cast<Index>(b)), some[b]));
  }
  return result;
}

/// The probabilities of one pair as columns x, y, value for gnuplot's images.
std::vector<std::vector<double>> image(const Tensor& probability, const Family& family) {
  std::vector<std::vector<double>> columns(3);
  for (Index i = 0; i < static_cast<Index>(family.x.size()); ++i)
    for (Index j = 0; j < static_cast<Index>(family.y.size()); ++j) {
      columns[0].push_back(static_cast<double>(i + 1));
      columns[1].push_back(static_cast<double>(j + 1));
      columns[2].push_back(probability.at({i, j}));
    }
  return columns;
}

void draw(const std::string& picture, const Aligner& aligner, const Family& family,
          example::Panel learning) {
  const Tensor probability = aligner(Batch(std::span(&family, 1))).value().select(0, 0);
  std::vector<std::vector<double>> pairs(2);
  for (const auto& [i, j] : family.aligned) {
    pairs[0].push_back(static_cast<double>(i + 1));
    pairs[1].push_back(static_cast<double>(j + 1));
  }
  example::Panel soft("Soft alignment of a pair of proteins that was not learnt from",
                      "position in the first protein", "position in the second protein");
  soft.set("palette defined (0 'white', 1 '#08519c')").set("cbrange [0:1]");
  soft.set("cblabel 'probability of being aligned'").set("key bottom right").set("autoscale fix");
  soft.curve("", "with image", image(probability, family));
  soft.curve("true pairs", "with points pt 6 ps 0.9 lw 1.5 lc rgb '#d95f02'", pairs);
  example::draw(picture, {soft, learning});
}

void program(const example::Options& options) {
  const int updates = options.quick ? 20 : 300;
  const Families test = random_families(options.quick ? 32 : 320);
  const Families counted = random_families(options.quick ? 100 : 500);
  const double by_identity = with_best_gap(identity_scores(), counted, test).f1();
  const double by_log_odds = with_best_gap(log_odds(counted), counted, test).f1();

  Aligner aligner;
  nn::Adam adam(aligner.parameters(), {.learning_rate = 5e-3});
  std::vector<double> update, f1;
  for (int k = 0; k <= updates; ++k) {
    if (k % (updates / 10) == 0) {
      update.push_back(k);
      f1.push_back(quality(aligner, test).f1());
      fmt::print("update {:>4}: F1 {:.3f}\n", k, f1.back());
    }
    adam.set_learning_rate(5e-3 * (1.0 - 0.9 * k / updates));
    const Batch batch(random_families(kBatch));
    Tape tape;
    const Variable loss = sum(square(aligner(batch) - batch.aligned)) / sum(batch.aligned);
    Gradients gradients = tape.gradients(loss);
    nn::clip_by_global_norm(gradients, 1.0);
    adam.step(gradients);
  }
  const Quality learnt = quality(aligner, test);
  fmt::print(
      "\nLook at the picture: where the cores are the alignment is certain; around the gaps, in "
      "the\n"
      "loops, it is spread over several places.\n\n");
  example::figure("F1, Needleman-Wunsch, 1 and -1", by_identity, {0.71, 0.77});
  example::figure("F1, Needleman-Wunsch, log odds", by_log_odds, {0.82, 0.86});
  example::figure("F1, soft alignment", learnt.f1(), {0.86, 0.91});
  example::figure("F1, gained over log odds", learnt.f1() - by_log_odds, {0.03, 0.065});
  example::figure("true pairs found", learnt.recall(), {0.83, 0.9});

  example::Panel learning("Quality of the alignments of pairs that were not learnt from", "update",
                          "F1 (pairs)");
  learning.set("yrange [0.5:1]").set("key bottom right");
  learning.curve("soft alignment", "with linespoints lw 2 pt 7 lc rgb '#08519c'", {update, f1});
  const std::vector<double> ends{update.front(), update.back()};
  learning.curve("Needleman-Wunsch, log odds", "with lines dt 2 lw 2 lc rgb '#1b9e77'",
                 {ends, {by_log_odds, by_log_odds}});
  learning.curve("Needleman-Wunsch, 1 and -1", "with lines dt 3 lw 2 lc rgb '#666666'",
                 {ends, {by_identity, by_identity}});
  draw(options.picture, aligner, test[0], learning);
}

}  // namespace

int main(int argc, char** argv) {
  return example::run(argc, argv, "alignment",
                      "Soft alignment of proteins, trained through its own gradient.", program);
}
