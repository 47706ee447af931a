#include <doctest/doctest.h>
#include <autograd/tensor/error.hpp>
#include <autograd/tensor/random.hpp>
#include <nn/io/safetensors.hpp>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "support/folder.hpp"

using namespace unroll;
using namespace unroll::testing;

namespace {

/// A file with this header and these data.
std::string with_header(const std::string& header, const std::string& data = {}) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(header.size() >> (8 * i));
  return bytes + header + data;
}

/// The message with which loading these bytes is refused; empty when it is not.
std::string refusal(const fs::path& path, const std::string& bytes) {
  write(path, bytes);
  try {
    nn::load_safetensors(path);
  } catch (const FormatError& error) {
    CHECK(std::string(error.what()).find(path.filename().string()) != std::string::npos);
    return error.what();
  }
  return {};
}

nn::TensorFile small_file() {
  return {{{"weight", Tensor::of<float>({2, 2}, {1.0F, -2.0F, 0.5F, 0.0F})},
           {"steps", Tensor::of<std::int64_t>({}, {258})}},
          {{"cell", "lstm"}}};
}

}  // namespace

TEST_CASE("what is saved is loaded again, whatever the shape, layout and dtype") {
  const Folder folder;
  const double infinity = std::numeric_limits<double>::infinity();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor matrix = Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const nn::TensorFile file{{{"f64", Tensor::of<double>({4}, {0.1, -0.0, infinity, nan})},
                             {"i64", Tensor::of<std::int64_t>({2}, {-1, std::int64_t{1} << 62})},
                             {"odd", Tensor::of<float>({1, 3, 1}, {1, 2, 3})},
                             {"turned", matrix.transpose(0, 1)},
                             {"expanded", matrix.select(0, 1).broadcast_to({2, 3})},
                             {"empty", zeros({3, 0, 2})},
                             {"scalar", full({}, 7)},
                             {"deep", ones({1, 2, 1, 2, 1, 2})}},
                            {{"Ключ", "多\n\"\\"}, {"", ""}}};
  nn::save_safetensors(folder / "a", file);
  const nn::TensorFile loaded = nn::load_safetensors(folder / "a");

  CHECK(loaded.metadata == file.metadata);
  REQUIRE(loaded.tensors.size() == file.tensors.size());
  for (const auto& [name, expected] : file.tensors) {
    CAPTURE(name);
    const Tensor& tensor = loaded.at(name);
    CHECK(tensor.dtype() == expected.dtype());
    CHECK(tensor.shape() == expected.shape());
    CHECK(tensor.is_contiguous());
    const Tensor packed = expected.contiguous();
    const auto bytes = static_cast<std::size_t>(packed.size()) * size_of(packed.dtype());
    CHECK(std::memcmp(tensor.address(), packed.address(), bytes) == 0);
  }
  nn::save_safetensors(folder / "b", loaded);
  CHECK(read(folder / "a") == read(folder / "b"));

  nn::save_safetensors(folder / "none", {});
  CHECK(read(folder / "none") == with_header("{}      "));
  CHECK(nn::load_safetensors(folder / "none").tensors.empty());
}

TEST_CASE("the bytes are those that the format prescribes") {
  const Folder folder;
  nn::save_safetensors(folder / "model", small_file());
  // The int64 comes first, so that it lies at a multiple of 8.
  const std::string header =
      R"({"__metadata__":{"cell":"lstm"},"steps":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
      R"("weight":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]}})";
  REQUIRE(header.size() == 149);
  const std::string data(
      "\x02\x01\0\0\0\0\0\0"
      "\0\0\x80\x3f\0\0\0\xc0\0\0\0\x3f\0\0\0\0",
      24);
  const std::string expected = std::string("\x98\0\0\0\0\0\0\0", 8) + header + "   " + data;
  CHECK(read(folder / "model") == expected);
}

TEST_CASE("the other element types of the format are widened without loss") {
  const Folder folder;
  const auto load = [&](const std::string& dtype, const std::string& data, std::size_t count) {
    const std::string end = std::to_string(data.size());
    write(folder / "x",
          with_header(R"({"x":{"dtype":")" + dtype + R"(","shape":[)" + std::to_string(count) +
                          R"(],"data_offsets":[0,)" + end + "]}}",
                      data));
    return nn::load_safetensors(folder / "x").at("x");
  };
  using Whole = std::vector<std::int64_t>;
  CHECK(load("BOOL", std::string("\0\1", 2), 2).to_vector<std::int64_t>() == Whole{0, 1});
  CHECK(load("U8", "\xff\x01", 2).to_vector<std::int64_t>() == Whole{255, 1});
  CHECK(load("I8", "\xff\x01", 2).to_vector<std::int64_t>() == Whole{-1, 1});
  CHECK(load("U16", "\xfe\xff", 1).to_vector<std::int64_t>() == Whole{65534});
  CHECK(load("I16", "\xfe\xff", 1).to_vector<std::int64_t>() == Whole{-2});
  CHECK(load("U32", "\xfe\xff\xff\xff", 1).to_vector<std::int64_t>() == Whole{4294967294});
  CHECK(load("I32", "\xfe\xff\xff\xff", 1).to_vector<std::int64_t>() == Whole{-2});

  // 1, -2, largest, smallest normal, smallest, -0, infinity
  const std::string half("\x00\x3c\x00\xc0\xff\x7b\x00\x04\x01\x00\x00\x80\x00\x7c", 14);
  const Tensor f16 = load("F16", half, 7);
  CHECK(f16.dtype() == Dtype::float32);
  CHECK(f16.to_vector<float>() == std::vector<float>{1, -2, 65504, 0x1p-14F, 0x1p-24F, -0.0F,
                                                     std::numeric_limits<float>::infinity()});
  CHECK(std::signbit(f16.at({5})));
  CHECK(std::isnan(load("F16", "\x01\x7c", 1).at({0})));
  CHECK(load("BF16", std::string("\x80\x3f\x49\xc0", 4), 2).to_vector<float>() ==
        std::vector<float>{1.0F, -3.140625F});
}

TEST_CASE("a tensor may begin at any byte") {
  const Folder folder;
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("b":{"dtype":"F64","shape":[1],"data_offsets":[1,9]}})";
  write(folder / "x", with_header(header, std::string("\x05\0\0\0\0\0\0\xf8\x3f", 9)));
  const nn::TensorFile file = nn::load_safetensors(folder / "x");
  CHECK(file.at("a").item() == 5);
  CHECK(file.at("b").item() == 1.5);
}

TEST_CASE("a damaged file is refused, saying what is wrong") {
  const Folder folder;
  const std::string x = R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string data(8, 'd');
  REQUIRE(refusal(folder / "good", with_header(x, data)).empty());
  const auto described = [](const std::string& fields) { return "{\"x\":{" + fields + "}}"; };
  const auto shaped = [&](const std::string& shape, const std::string& offsets) {
    return described(R"("dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets);
  };

  struct Case {
    std::string bytes;
    const char* message;
  };
  const std::vector<Case> cases{
      {"", "at least 8 bytes, got 0"},
      {"1234567", "at least 8 bytes, got 7"},
      {"not a tensor file, but text", "announces a header of"},
      {std::string(8, '\xff') + x,
       "announces a header of 18446744073709551615 bytes, expected at most 54"},
      {with_header(x, data).substr(0, 30), "announces a header of 54 bytes, expected at most 22"},
      {with_header(""), "must start with {"},
      {with_header(" " + x, data), "must start with {"},
      {with_header("[]"), "must start with {"},
      {with_header("{"), "not valid JSON"},
      {with_header(x + "}", data), "not valid JSON"},
      {with_header("{\"\xff\":1}"), "not valid JSON"},
      {with_header(R"({"x":1e999})"), "not valid JSON"},
      {with_header(std::string("{\"x\":") + std::string(100000, '[')),
       "expected an object, got array"},
      {with_header(described(std::string("\"shape\":") + std::string(100000, '[') +
                             std::string(100000, ']'))),
       "nested too deeply"},
      {with_header(R"({"x":{"y":)" + std::string(100000, '[')), "nested too deeply"},
      {with_header(R"({"__metadata__":{"y":{}}})"), "expected a string, got object"},
      {with_header(R"({"__metadata__":{},"__metadata__":{}})"), "\"__metadata__\" twice"},
      {with_header(described(R"("shape":[2],"shape":[2])"), data), "\"shape\" twice"},
      {with_header(x.substr(0, x.size() - 1) + "," + x.substr(1), data), "\"x\" twice"},
      {with_header(described(R"("dtype":"F32","dtype":"F64")"), data), "\"dtype\" twice"},
      {with_header(R"({"x":1})"), "tensor \"x\": expected an object, got number"},
      {with_header(R"({"x\n":1})"), R"(tensor "x\n")"},
      {with_header(described(R"("shape":[2],"data_offsets":[0,8])"), data),
       "expected a string dtype"},
      {with_header(described(R"("dtype":4,"shape":[2],"data_offsets":[0,8])"), data),
       "expected a string dtype"},
      {with_header(described(R"("dtype":"F32","data_offsets":[0,8])"), data),
       "expected a list shape"},
      {with_header(described(R"("dtype":"F32","shape":[2])"), data),
       "expected a list data_offsets"},
      {with_header(shaped("2", "[0,8]"), data), "expected a list shape"},
      {with_header(shaped("[-2]", "[0,8]"), data),
       "shape: expected whole numbers from 0 to 2^63-1, got -2"},
      {with_header(shaped("[2.0]", "[0,8]"), data), "got 2.0"},
      {with_header(shaped("[\"2\"]", "[0,8]"), data), "got \"2\""},
      {with_header(shaped("[9223372036854775808]", "[0,8]"), data), "got 9223372036854775808"},
      {with_header(shaped("[4611686018427387904,4]", "[0,8]"), data),
       "expected more than can be addressed"},
      {with_header(shaped("[0,4611686018427387904,4]", "[0,0]")),
       "expected more than can be addressed"},
      {with_header(shaped("[3]", "[0,8]"), data), "got 8 bytes, expected 12 for F32 [3]"},
      {with_header(shaped("[]", "[0,8]"), data), "got 8 bytes, expected 4 for F32 []"},
      {with_header(shaped("[2]", "[0]"), data), "expected [begin,end]"},
      {with_header(shaped("[2]", "[0,8,8]"), data), "expected [begin,end]"},
      {with_header(shaped("[2]", "[8,0]"), data), "expected [begin,end]"},
      {with_header(shaped("[2]", "[8,16]"), data),
       "[8,16]: expected [begin,end] within the 8 bytes of data"},
      {with_header(shaped("[2]", "[-8,0]"), data), "data_offsets: expected whole numbers"},
      {with_header(shaped("[1]", "[4,8]"), data), "begins at byte 4, expected 0 (hole)"},
      {with_header(shaped("[1]", "[0,4]"), data), "expected 4 bytes of data, got 8"},
      {with_header("{}", data), "expected 0 bytes of data, got 8"},
      {with_header(R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                   R"("y":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
                   data),
       "tensor \"y\": its data begins at byte 4, expected 8 (overlap)"},
      {with_header(R"({"__metadata__":1})"), "__metadata__ must be an object of strings"},
      {with_header(R"({"__metadata__":{"a":1}})"), "\"a\": expected a string, got number"},
  };
  for (const Case& c : cases) {
    const std::string message = refusal(folder / "damaged", c.bytes);
    CAPTURE(message);
    CAPTURE(c.message);
    CHECK(message.find(c.message) != std::string::npos);
    CHECK(message.size() < 600);
  }
}

TEST_CASE("a tensor that cannot be read leaves the others readable") {
  const Folder folder;
  const std::string header = R"({"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},)"
                             R"("b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]},)"
                             R"("c":{"dtype":"U64","shape":[1],"data_offsets":[4,12]},)"
                             R"("d":{"dtype":"U8","shape":[1,1,1,1,1,1,1],"data_offsets":[12,13]},)"
                             R"("e":{"dtype":"U8","shape":[2],"data_offsets":[13,15]}})";
  write(folder / "x", with_header(header, "ddd\7ddddddddd\1\2"));
  const nn::TensorFile file = nn::load_safetensors(folder / "x");
  CHECK(file.tensors.size() == 2);
  CHECK(file.at("b").item() == 7);
  CHECK(file.at("e").to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2});
  CHECK(file.unread.size() == 3);
  CHECK(file.find("a") == nullptr);
  const auto refused = [&](const char* name, const char* why) {
    CHECK_THROWS_WITH_AS(file.at(name), doctest::Contains(why), FormatError);
  };
  refused("a", "tensor \"a\": dtype \"F8_E4M3\" cannot be read, expected one of F32, F64");
  refused("c", "dtype \"U64\" cannot be read");
  refused("d", "rank 7 cannot be read, expected at most 6");
  refused("f", "there are: \"b\", \"e\"");
}

TEST_CASE("names and order of fields are free, and unknown fields are passed over") {
  const Folder folder;
  const std::string header = R"({"a":{"note":{"deep":1},"data_offsets":[0,4],"list":["x",2.5],)"
                             R"("none":null,"shape":[1],"dtype":"F32"}})";
  write(folder / "x", with_header(header, std::string("\0\0\x80\x3f", 4)));
  CHECK(nn::load_safetensors(folder / "x").at("a").item() == 1.0);
}

TEST_CASE("many tensors are read, and so is what names a hundred thousand of them at once") {
  const Folder folder;
  nn::TensorFile file;
  for (int k = 0; k < 100000; ++k) file.tensors.emplace_back(std::to_string(k), ones({1}));
  nn::save_safetensors(folder / "many", file);
  const nn::TensorFile loaded = nn::load_safetensors(folder / "many");
  CHECK(loaded.tensors.size() == 100000);
  CHECK(loaded.tensors.back().second.item() == 1.0);
  CHECK_THROWS_WITH_AS(loaded.at("none"), doctest::Contains("and 99950 more"), FormatError);
}

TEST_CASE("what is no file is refused") {
  const Folder folder;
  CHECK_THROWS_WITH_AS(nn::load_safetensors(folder / "none"), doctest::Contains("no such file"),
                       FormatError);
  CHECK_THROWS_WITH_AS(nn::load_safetensors(folder / ""), doctest::Contains("not a regular file"),
                       FormatError);
  CHECK_THROWS_AS(nn::load_safetensors(""), FormatError);
}

TEST_CASE("a file cut off at any byte is refused") {
  const Folder folder;
  nn::save_safetensors(folder / "whole", small_file());
  const std::string bytes = read(folder / "whole");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    CHECK(!refusal(folder / "cut", bytes.substr(0, length)).empty());
  }
  CHECK(!refusal(folder / "long", bytes + '\0').empty());
}

TEST_CASE("random damage is refused or read, never worse") {
  const Folder folder;
  nn::save_safetensors(folder / "whole", small_file());
  const std::string whole = read(folder / "whole");
  Generator generator(20240611);
  int refused = 0;
  constexpr int kTrials = 3000;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::string bytes = whole;
    for (std::uint64_t flips = 1 + generator.below(3); flips > 0; --flips)
      bytes[generator.below(bytes.size())] ^= static_cast<char>(1U << generator.below(8));
    refused += refusal(folder / "damaged", bytes).empty() ? 0 : 1;
  }
  // Most bytes are header, where a flip is noticed unless it only renames or hits the metadata.
  CHECK(refused > kTrials / 2);
  CHECK(refused < kTrials);
}

TEST_CASE("what cannot be written as asked is refused before the old file is touched") {
  const Folder folder;
  const fs::path path = folder / "model";
  nn::save_safetensors(path, small_file());
  const std::string before = read(path);
  const Tensor one = ones({1});

  CHECK_THROWS_AS(nn::save_safetensors(path, {{{"a", one}, {"a", one}}, {}}), ArgumentError);
  CHECK_THROWS_AS(nn::save_safetensors(path, {{{"a", Tensor()}}, {}}), ArgumentError);
  CHECK_THROWS_AS(nn::save_safetensors(path, {{{"__metadata__", one}}, {}}), ArgumentError);
  CHECK_THROWS_AS(nn::save_safetensors(path, {{{"\xff", one}}, {}}), ArgumentError);
  CHECK_THROWS_AS(nn::save_safetensors(path, {{}, {{"key", "\xff"}}}), ArgumentError);
  CHECK_THROWS_AS(nn::save_safetensors("", small_file()), Error);
  CHECK_THROWS_WITH_AS(nn::save_safetensors(folder / "none/model", small_file()),
                       doctest::Contains("No such file or directory"), Error);
  CHECK_THROWS_WITH_AS(nn::save_safetensors("/dev/null", small_file()),
                       doctest::Contains("not a regular file"), Error);
  CHECK_THROWS_AS(nn::check_writable(folder / "none/model"), Error);
  nn::check_writable(path);
  nn::check_writable(folder / "another");
  CHECK(read(path) == before);
  CHECK(folder.files() == 1);
}

TEST_CASE("a tensor that is not there is named, and so are those that are") {
  const nn::TensorFile file = small_file();
  CHECK(file.find("other") == nullptr);
  CHECK_THROWS_WITH_AS(file.at("other"),
                       R"(tensor file: there is no tensor "other"; there are: "weight", "steps")",
                       FormatError);
}
