#pragma once

#include <nn/data/vocabulary.hpp>
#include <nn/io/atomic_file.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace lm {

/// A file with the surprise of each symbol, in bits: JSON lines if its name ends in .jsonl,
/// otherwise tab-separated values with a header and \t, \n, \r and \\ written as such. The file
/// appears once it is complete.
class SurpriseFile {
 public:
  /// Throws Error when the file cannot be written.
  explicit SurpriseFile(const std::string& path);
  /// `nats[i]` is the surprise of `symbols[i + 1]`; the first symbol has none.
  void add(const std::string& file, const unroll::nn::Vocabulary& vocabulary,
           std::span<const std::int32_t> symbols, std::span<const double> nats);
  void commit() { file_.commit(); }

 private:
  bool json_;
  unroll::nn::AtomicFile file_;
};

}  // namespace lm
