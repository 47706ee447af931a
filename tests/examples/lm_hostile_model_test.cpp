// Model files whose metadata claim another network than the one they hold.
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <autograd/tensor/error.hpp>
#include <nn/io/safetensors.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "examples/lm/cells.hpp"
#include "examples/lm/model.hpp"
#include "lm.hpp"
#include "support/expect.hpp"

using namespace lm_program;
using unroll::FormatError;
using unroll::Index;
using unroll::nn::TensorFile;

namespace {

/// Peak of the resident memory since the last call, beyond what is resident now, in MB.
class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << "5";
    before_ = read("VmRSS:");
  }
  long grown() const {
#ifdef __SANITIZE_ADDRESS__  // keeps what is released for a while
    return 0;
#else
    return (read("VmHWM:") - before_) / 1024;
#endif
  }

 private:
  static long read(const std::string& key) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
      if (line.starts_with(key)) return std::atol(line.c_str() + key.size());
    return 0;
  }
  long before_ = 0;
};

/// The names of cells; under AddressSanitizer, where all takes ten times as long, some of them.
std::vector<std::string> names() {
  std::vector<std::string> all = lm::cell_names();
#ifdef __SANITIZE_ADDRESS__
  std::erase_if(all, [](const std::string& cell) {
    return cell != "lstm" && cell != "mamba" && cell != "ntm";
  });
#endif
  return all;
}

/// The options of a cell, which the message about an unknown one lists.
std::vector<std::string> options_of(const std::string& cell) {
  std::string message;
  try {
    lm::make_cell(cell + ":unknown=1", 8, 8);
  } catch (const unroll::ArgumentError& error) {
    message = error.what();
  }
  const std::string before = "it has ";
  REQUIRE(contains(message, before));
  message = message.substr(message.find(before) + before.size());
  std::vector<std::string> options;
  for (std::size_t at = 0; message != "none" && at < message.size();) {
    const std::size_t end = std::min(message.find(", ", at), message.size());
    options.push_back(message.substr(at, end - at));
    at = end + 2;
  }
  return options;
}

/// A small network.
lm::NetworkOptions network_of(const std::string& cell) {
  return {.cell = cell, .layers = 2, .hidden = 8, .embedding = 8};
}

TensorFile file_of(const std::string& cell) {
  return lm::Model(characters("abcdefgh"), network_of(cell)).file({});
}

/// What is wrong with a file whose metadata have this network instead; "" when nothing is. Loading
/// it takes little memory.
std::string refusal(const Folder& folder, TensorFile file, const lm::NetworkOptions& network,
                    long megabytes = 64) {
  file.metadata["network"] = lm::to_json(network);
  unroll::nn::save_safetensors(folder / "hostile", file);
  const PeakMemory peak;
  std::string message;
  try {
    lm::Model::load(folder / "hostile");
  } catch (const FormatError& error) {
    message = error.what();
  }
  CHECK(peak.grown() < megabytes);
  return message;
}

}  // namespace

TEST_CASE("a model file that claims a cell with a huge option is refused in little memory") {
  const Folder folder;
  const std::vector<std::string> sizes{
      "backbone_units", "cells", "depth", "gate_rank", "heads", "keys",   "max_shift",  "rank",
      "read_heads",     "slots", "state", "unfold",    "width", "window", "write_heads"};
  std::vector<std::string> seen;
  for (const std::string& cell : names()) {
    const TensorFile good = file_of(cell);
    for (const std::string& option : options_of(cell))
      for (const std::string value : {"2000", "1000000", "99999999", "4611686018427387904"}) {
        CAPTURE(cell);
        CAPTURE(option);
        CAPTURE(value);
        lm::NetworkOptions network = network_of(cell);
        network.cell = fmt::format("{}:{}={}", cell, option, value);
        const std::string message = refusal(folder, good, network);
        if (std::find(sizes.begin(), sizes.end(), option) == sizes.end()) continue;
        seen.push_back(option);
        CHECK((message != "" || (value == "2000" && option == "slots")));
        CHECK(message.size() < 400);
      }
  }
  for (const std::string& option : sizes)
    if (names() == lm::cell_names())
      CHECK_MESSAGE(std::find(seen.begin(), seen.end(), option) != seen.end(), option);
}

TEST_CASE(
    "a model file that claims a huge network is refused in little memory, whatever the cell") {
  const Folder folder;
  for (const std::string& cell : names()) {
    CAPTURE(cell);
    const TensorFile good = file_of(cell);
    for (const Index size : {Index{2000}, lm::kMaxSize}) {
      lm::NetworkOptions network = network_of(cell);
      network.hidden = size;
      CHECK(refusal(folder, good, network) != "");
      network.embedding = size;
      CHECK(refusal(folder, good, network) != "");
      network.layers = lm::kMaxLayers;
      CHECK(refusal(folder, good, network) != "");
    }
  }
}

TEST_CASE("a file with one long tensor does not prove a large network") {
  const Folder folder;
  for (const std::string& cell : names()) {
    CAPTURE(cell);
    TensorFile file = file_of(cell);
    file.tensors.emplace_back("long", unroll::zeros({1, lm::kMaxSize}));
    lm::NetworkOptions network = network_of(cell);
    network.layers = 1;
    network.hidden = 4000;
    CHECK(refusal(folder, file, network) != "");
    network.embedding = network.hidden = 512;
    network.layers = 2;
    // The eigenvectors that S5 begins with take more than its weights.
    CHECK(refusal(folder, file, network, cell == "s5" ? 512 : 64) != "");
  }
}

TEST_CASE("a model of any cell that is larger than the others here is loaded again") {
  const Folder folder;
  for (const std::string& cell : names())
    for (const Index embedding : {Index{96}, Index{8}}) {
      lm::NetworkOptions network = network_of(cell);
      const bool one_size = cell == "mamba" || cell == "rg_lru";
      network.hidden = 96;
      network.embedding = one_size ? 96 : embedding;
      network.layers = 1;
      CAPTURE(cell);
      const TensorFile file = lm::Model(characters("abcdefgh"), network).file({});
      CHECK(refusal(folder, file, network) == "");
    }
}

TEST_CASE("a network too large for the memory and a state too large for anyone are refused") {
  const auto refuse = [](const lm::NetworkOptions& network, std::size_t bytes,
                         const std::string& message) {
    const lm::Model::Limits limits{.bytes = bytes, .size = lm::kMaxCellOption};
    expect_error<unroll::ArgumentError>([&] { lm::Model(characters("abcdefgh"), network, limits); },
                                        {message});
  };
  lm::NetworkOptions network;
  network.hidden = 2048;
  refuse(network, 20U << 20U, "the network takes more than 20 MB, with 1 layers of lstm");
  network.hidden = 16;
  network.cell = "ntm:slots=1000000";
  refuse(network, 1U << 30U, "has a state of 22000020 values for each sequence, expected at most");
  network.cell = "ntm:slots=99999999";
  refuse(network, 1U << 30U,
         "slots of ntm: expected a whole number up to 1048576, got \"99999999\"");
  // The limit ends with the network that was made under it.
  CHECK(unroll::zeros({8192, 2048}).size() > 0);
}
