#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <nn/data/text_file.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include "support/folder.hpp"

using namespace unroll;
using namespace unroll::testing;

TEST_CASE("a file's text is its bytes, for as long as a copy of it lives") {
  const Folder folder;
  const std::string path = write(folder / "text", "ab\nc");
  nn::TextFile copy("other", "x");
  {
    const nn::TextFile file(path);
    CHECK(file.name() == path);
    copy = file;
  }
  CHECK(copy.bytes() == "ab\nc");
}

TEST_CASE("what is no text is refused by name") {
  const Folder folder;
  const auto refuse = [](const std::string& path, const std::string& message) {
    CHECK_THROWS_WITH_AS(nn::TextFile{path}, doctest::Contains(message.c_str()), FormatError);
  };
  refuse(folder / "none", "cannot be read: No such file");
  refuse(folder / "", "is a folder");
  refuse("/dev/zero", "is not a regular file");
  refuse(write(folder / "empty", ""), "is empty");
  refuse(write(folder / "binary", std::string("a\0b", 3)),
         "is binary: there is a NUL byte at offset 1");
}

TEST_CASE("marks and carriage returns are told, and left out only in a normalised copy") {
  const nn::TextFile text("it",
                          "\xEF\xBB\xBF"
                          "a\r\nb\rc\r\n");
  CHECK(text.properties().byte_order_mark);
  CHECK(text.properties().carriage_returns == 2);
  CHECK(text.normalised().bytes() == "a\nb\rc\n");
  CHECK(!nn::TextFile("it", "a\n").properties().byte_order_mark);
}

TEST_CASE("a folder means its files, those of its folders too, in order, without hidden ones") {
  const Folder folder;
  std::filesystem::create_directories(folder / "sub/.git");
  write(folder / "b", "1");
  write(folder / "a", "1");
  write(folder / "empty", "");
  write(folder / ".hidden", "1");
  write(folder / "sub/c", "1");
  write(folder / "sub/.git/d", "1");
  CHECK(nn::text_files(folder / "") ==
        std::vector<std::string>{folder / "a", folder / "b", folder / "sub/c"});
  CHECK(nn::text_files(folder / "a") == std::vector<std::string>{folder / "a"});
  std::filesystem::create_directory(folder / "sub/nothing");
  CHECK_THROWS_WITH_AS(nn::text_files(folder / "sub/nothing"),
                       doctest::Contains("is a folder without files"), FormatError);
}
