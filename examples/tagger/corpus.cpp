#include "corpus.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace tagger {
namespace {

constexpr std::size_t kColumns = 10;

std::vector<std::string> columns_of(const std::string& line) {
  std::vector<std::string> columns;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find('\t', begin), line.size());
    columns.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return columns;
}

bool only(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

/// 3-4 or 5.1
bool is_range_or_empty_node(const std::string& id) {
  const std::size_t middle = id.find_first_of("-.");
  return middle != std::string::npos && only(id.substr(0, middle), "0123456789") &&
         only(id.substr(middle + 1), "0123456789");
}

/// Adds the token of a line, if it is one, to the sentence. Returns what is wrong, or nothing.
std::string add_token(const std::string& line, Sentence& sentence) {
  const std::vector<std::string> columns = columns_of(line);
  if (columns.size() != kColumns)
    return fmt::format("expected {} columns separated by tabs, there are {}", kColumns,
                       columns.size());
  const std::string &id = columns[0], &form = columns[1], &tag = columns[3];
  if (is_range_or_empty_node(id)) return "";
  const std::string expected = std::to_string(sentence.words.size() + 1);
  if (id != expected) return fmt::format("expected the ID {}, it is \"{}\"", expected, id);
  if (form.empty()) return "the FORM is empty";
  if (tag == "_") return "the UPOS is missing; tagging needs a file with tags";
  if (!only(tag, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    return fmt::format("the UPOS \"{}\" is no tag such as NOUN", tag);
  sentence.words.push_back(form);
  sentence.tags.push_back(tag);
  return "";
}

}  // namespace

Corpus read_conllu(const std::string& path) {
  if (std::filesystem::is_directory(path))
    throw unroll::FormatError("\"" + path + "\" is a folder, expected a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw unroll::FormatError("cannot open \"" + path + "\": " + std::strerror(errno));
  Corpus sentences;
  Sentence sentence;
  const auto finish = [&] {
    if (!sentence.words.empty()) sentences.push_back(std::move(sentence));
    sentence = {};
  };
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty()) {
      finish();
    } else if (line[0] != '#') {
      const std::string wrong = add_token(line, sentence);
      if (!wrong.empty()) throw unroll::FormatError(fmt::format("{}:{}: {}", path, number, wrong));
    }
  }
  if (in.bad()) throw unroll::FormatError("cannot read \"" + path + "\"");
  finish();
  if (sentences.empty()) throw unroll::FormatError("no sentence in \"" + path + "\"");
  return sentences;
}

}  // namespace tagger
