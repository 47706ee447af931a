// A count-based language model, the baseline that a neural one must beat.
#pragma once

#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace unroll::testing {

/// Interpolated Kneser-Ney smoothing (Kneser and Ney, 1995; Chen and Goodman, An empirical study of
/// smoothing techniques, 1999, section 3) over one stream of token numbers:
///
///     p_n(w | h) = max(c(h w) - D_n, 0) / c(h .) + D_n N(h .) / c(h .) p_{n-1}(w | h'),
///
/// where h' is h without its first token, N(h .) the number of distinct tokens after h, and c the
/// count for the highest order, below it the number of distinct tokens seen before h w. p_0 is
/// uniform over the vocabulary; a context never seen falls back to p_{n-1}. The discounts are
/// D_n = n1 / (n1 + 2 n2) with the numbers of n-grams counted once and twice, and 1/2 if no n-gram
/// is counted once.
class KneserNey {
 public:
  /// Throws ArgumentError for an order below 1 and for a token that is not in 0..vocabulary-1.
  KneserNey(std::span<const std::int32_t> tokens, std::int32_t vocabulary, int order = 5)
      : vocabulary_(vocabulary), order_(order) {
    if (order < 1) throw ArgumentError("KneserNey: order: expected at least 1");
    nodes_.emplace_back();
    count(tokens);
    set_discounts();
  }

  /// Of `token` after `context`, of which the last order - 1 tokens matter.
  double probability(std::span<const std::int32_t> context, std::int32_t token) const {
    check(token);
    const auto length = std::min(context.size(), static_cast<std::size_t>(order_ - 1));
    double p = 1.0 / vocabulary_;
    for (std::size_t n = 0; n <= length; ++n) {
      const std::int64_t h = find(context.last(n));
      if (h < 0 || nodes_[static_cast<std::size_t>(h)].total == 0) break;  // nor is any longer one
      const Node& node = nodes_[static_cast<std::size_t>(h)];
      const std::int64_t child = find_child(h, token);
      const double c = child < 0 ? 0.0 : nodes_[static_cast<std::size_t>(child)].count;
      const double d = discounts_[n];
      p = (std::max(c - d, 0.0) + d * node.distinct * p) / node.total;
    }
    return p;
  }

  /// e to the mean surprise of all tokens; the first have a shorter context.
  double perplexity(std::span<const std::int32_t> tokens) const {
    if (tokens.empty()) throw ArgumentError("KneserNey: no tokens");
    double nats = 0;
    for (std::size_t i = 0; i < tokens.size(); ++i)
      nats -= std::log(probability(tokens.first(i), tokens[i]));
    return std::exp(nats / static_cast<double>(tokens.size()));
  }

  /// D_n for n-grams, n from 1 to the order.
  double discount(int n) const { return discounts_.at(static_cast<std::size_t>(n - 1)); }

 private:
  /// An n-gram in the trie of all; the root is the empty one.
  struct Node {
    int depth = 0;
    double count = 0;
    double total = 0;     ///< sum of the children's counts
    double distinct = 0;  ///< children with a count
  };

  void check(std::int32_t token) const {
    if (token < 0 || token >= vocabulary_)
      throw ArgumentError("KneserNey: token " + std::to_string(token) +
                          " is not in a vocabulary of " + std::to_string(vocabulary_));
  }

  static std::uint64_t key(std::int64_t node, std::int32_t token) {
    return static_cast<std::uint64_t>(node) << 32 | static_cast<std::uint32_t>(token);
  }

  std::int64_t find_child(std::int64_t node, std::int32_t token) const {
    const auto found = children_.find(key(node, token));
    return found == children_.end() ? -1 : found->second;
  }

  std::int64_t find(std::span<const std::int32_t> tokens) const {
    std::int64_t node = 0;
    for (const std::int32_t token : tokens)
      if ((node = find_child(node, token)) < 0) break;
    return node;
  }

  /// Counts n-grams by their last token: those that end here extend those that end before it.
  void count(std::span<const std::int32_t> tokens) {
    std::vector<std::int64_t> ending{0};  // node of the last n tokens, for each n
    for (const std::int32_t token : tokens) {
      check(token);
      std::vector<std::int64_t> next{0};
      for (std::size_t n = 1; n <= static_cast<std::size_t>(order_) && n <= ending.size(); ++n) {
        const auto [child, is_new] =
            children_.emplace(key(ending[n - 1], token), static_cast<std::int64_t>(nodes_.size()));
        next.push_back(child->second);
        if (is_new) {
          nodes_.push_back({.depth = static_cast<int>(n)});
          // Another token before the n-gram without its first.
          if (n > 1) nodes_[static_cast<std::size_t>(next[n - 1])].count += 1;
        }
      }
      if (next.size() == static_cast<std::size_t>(order_) + 1)
        nodes_[static_cast<std::size_t>(next.back())].count += 1;
      ending = next;
    }
    for (const auto& [at, child] : children_) {
      Node& parent = nodes_[at >> 32];
      const double count = nodes_[static_cast<std::size_t>(child)].count;
      parent.total += count;
      if (count > 0) parent.distinct += 1;
    }
  }

  void set_discounts() {
    std::vector<double> once(static_cast<std::size_t>(order_)), twice(once);
    for (const Node& node : nodes_) {
      if (node.depth == 0) continue;
      if (node.count == 1) once[static_cast<std::size_t>(node.depth - 1)] += 1;
      if (node.count == 2) twice[static_cast<std::size_t>(node.depth - 1)] += 1;
    }
    for (std::size_t n = 0; n < once.size(); ++n)
      discounts_.push_back(once[n] > 0 ? once[n] / (once[n] + 2 * twice[n]) : 0.5);
  }

  std::int32_t vocabulary_;
  int order_;
  std::vector<Node> nodes_;
  std::unordered_map<std::uint64_t, std::int64_t> children_;
  std::vector<double> discounts_;
};

}  // namespace unroll::testing
