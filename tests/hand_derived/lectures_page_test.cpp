// docs/lectures.md: every row of the lectures is there, with links that lead somewhere and a test.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace {

const std::filesystem::path kDocs = std::filesystem::path(UNROLL_SOURCE_DIR) / "docs";

std::vector<std::string> lines_of_page() {
  std::ifstream in(kDocs / "lectures.md");
  REQUIRE(in.good());
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The files that a line links to, as written, without an anchor.
std::vector<std::string> links_of(const std::string& line) {
  static const std::regex link(R"(\]\(([^)#]+)(#[^)]*)?\))");
  std::vector<std::string> links;
  for (std::sregex_iterator at(line.begin(), line.end(), link), end; at != end; ++at)
    links.push_back((*at)[1]);
  return links;
}

bool leads_somewhere(const std::string& link) {
  return std::filesystem::is_regular_file(kDocs / link);
}

/// "J5" of "| J5 | ...", empty for a line that is no row.
std::string id_of(const std::string& line) {
  static const std::regex row(R"(^\| ([A-Z]\d+) \|)");
  std::smatch match;
  return std::regex_search(line, match, row) ? match[1].str() : "";
}

}  // namespace

TEST_CASE("the page of the lectures has every system once") {
  std::multiset<std::string> expected;
  for (const auto& [lecture, count] : {std::pair{'F', 4}, {'J', 10}, {'P', 8}, {'B', 6}, {'H', 5}})
    for (int k = 1; k <= count; ++k) expected.insert(lecture + std::to_string(k));
  std::multiset<std::string> found;
  for (const std::string& line : lines_of_page())
    if (const std::string id = id_of(line); !id.empty()) found.insert(id);
  CHECK(found == expected);
}

TEST_CASE("no link on the page of the lectures is dead") {
  std::size_t links = 0;
  for (const std::string& line : lines_of_page())
    for (const std::string& link : links_of(line)) {
      CHECK_MESSAGE(leads_somewhere(link), "dead link: " << link);
      ++links;
    }
  CHECK(links > 40);
  CHECK_FALSE(leads_somewhere("../nn/cells/no_such_cell.hpp"));
}

TEST_CASE("every row has a test") {
  for (const std::string& line : lines_of_page()) {
    if (id_of(line).empty()) continue;
    bool tested = false;
    for (const std::string& link : links_of(line))
      tested = tested || link.find("_test.cpp") != std::string::npos;
    CHECK_MESSAGE(tested, "no test: " << line);
  }
}
