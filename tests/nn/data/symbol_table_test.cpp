#include <doctest/doctest.h>
#include <autograd/tensor/random.hpp>
#include <nn/data/symbol_table.hpp>

#include <map>
#include <string>

using namespace unroll;

TEST_CASE("a symbol table numbers what an ordered map numbers") {
  Generator generator(1);
  nn::SymbolTable table;
  std::map<std::string, std::size_t> expected;
  for (int trial = 0; trial < 60000; ++trial) {
    // Few letters, one of them a NUL byte, so that many symbols share their beginning and end.
    std::string symbol(generator.below(trial % 2 == 0 ? 9 : 30), 'a');
    for (char& c : symbol)
      if (generator.below(4) == 0) c = static_cast<char>(generator.below(3));
    const auto known = expected.find(symbol);
    const std::int32_t found = table.find(symbol);
    if ((known == expected.end()) != (found < 0)) CHECK(found == -1);
    const std::size_t number = expected.try_emplace(symbol, expected.size()).first->second;
    table.prefetch(symbol);
    if (table.add(symbol) != number) CHECK(table.add(symbol) == number);
  }
  CHECK(table.size() == expected.size());
  CHECK(table.size() > 20000);
  for (const auto& [symbol, number] : expected) {
    if (table.symbol(number) != symbol) CHECK(table.symbol(number) == symbol);
    if (table.find(symbol) != static_cast<std::int32_t>(number)) CHECK(table.find(symbol) == 0);
  }
}
