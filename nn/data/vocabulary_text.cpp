#include <autograd/tensor/error.hpp>
#include <nlohmann/json.hpp>
#include <nn/data/tokens.hpp>
#include <nn/data/vocabulary_symbols.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace unroll::nn {

std::string Vocabulary::serialise() const {
  nlohmann::json symbols = nlohmann::json::array();
  for (const std::string& one : symbols_->symbols)
    if (level() == Level::byte && one.size() == 1)
      symbols.push_back(static_cast<unsigned char>(one[0]));
    else
      symbols.push_back(one);
  return nlohmann::json{{"level", to_string(level())},
                        {"lower_case", symbols_->lower_case},
                        {"symbols", std::move(symbols)},
                        {"counts", symbols_->counts}}
      .dump();
}

Vocabulary Vocabulary::parse(const std::string& text, const std::string& where) {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) throw FormatError(where + ": " + what);
  };
  const nlohmann::json all = nlohmann::json::parse(text, nullptr, false);
  require(all.is_object() && all.contains("level") && all.at("level").is_string() &&
              all.contains("lower_case") && all.at("lower_case").is_boolean() &&
              all.contains("symbols") && all.at("symbols").is_array() && all.contains("counts") &&
              all.at("counts").is_array() && all.at("counts").size() == all.at("symbols").size(),
          "expected level, lower_case, symbols and as many counts");
  auto read = std::make_shared<Symbols>();
  const auto name = all.at("level").get<std::string>();
  require(name == "byte" || name == "character" || name == "word",
          "level: expected byte, character or word");
  read->level = level_from(name);
  read->lower_case = all.at("lower_case").get<bool>();
  require(!all.at("symbols").empty(), "there are no symbols");
  for (std::size_t k = 0; k < all.at("symbols").size(); ++k) {
    const nlohmann::json& symbol = all.at("symbols")[k];
    const nlohmann::json& count = all.at("counts")[k];
    const std::string which = "symbol " + std::to_string(k) + ": ";
    require(count.is_number_integer() && count.get<Index>() >= 0, which + "a count is wrong");
    const bool byte = symbol.is_number_unsigned() && symbol.get<std::uint64_t>() < 256;
    require(byte ? read->level == Level::byte : symbol.is_string(), which + "not a symbol");
    std::string one = byte ? std::string(1, static_cast<char>(symbol.get<unsigned>()))
                           : symbol.get<std::string>();
    const bool special = one == kUnknown || (one == kEndOfLine && read->level == Level::word);
    const Token token = one.empty() ? Token{} : next_token(read->level, one);
    require(special || (token.text == one && (byte || read->level != Level::byte)),
            which + "not one symbol of this level");
    require(read->numbers.find(one) < 0, which + "is there twice");
    read->add(std::move(one), count.get<Index>());
  }
  read->finish();
  return Vocabulary(std::move(read));
}

}  // namespace unroll::nn
