#include "compress.hpp"

#include "crc32.hpp"
#include "predictor.hpp"
#include "range_coder.hpp"

#include <fmt/format.h>
#include <autograd/kernels/threads.hpp>
#include <autograd/tensor/error.hpp>

#include <vector>

namespace lm {
namespace {

using unroll::FormatError;

constexpr std::string_view kMagic{"uclm\1\0\0\0", 8};
constexpr std::size_t kChecked = kMagic.size() + 4;  // where what the first CRC covers begins
constexpr std::size_t kHeader = kChecked + 4 + 4 + 8 + 8;

/// One thread while it lives: the order of sums, and so the numbers, depends on how many there are.
class OneThread {
 public:
  OneThread() : before_(unroll::threads()) { unroll::set_threads(1); }
  ~OneThread() { unroll::set_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

void append(std::string& bytes, std::uint64_t value, int size) {
  for (int i = 0; i < size; ++i) bytes += static_cast<char>(value >> 8 * i & 0xFFU);
}

std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

struct Header {
  std::uint32_t model = 0;  ///< CRC-32
  std::uint32_t text = 0;   ///< CRC-32
  std::uint64_t symbols = 0;
  std::string_view code;
};

Header read_header(std::string_view bytes, const std::string& source) {
  const auto fail = [&](const std::string& what) {
    throw FormatError(fmt::format("decompress: {}: {}", source, what));
  };
  if (!kMagic.starts_with(bytes.substr(0, kMagic.size())))
    fail("not a file of lm compress, or of another version of it");
  if (bytes.size() < kHeader)
    fail(fmt::format("cut off: expected at least {} bytes, got {}", kHeader, bytes.size()));
  const Header header{.model = static_cast<std::uint32_t>(number_at(bytes, kChecked, 4)),
                      .text = static_cast<std::uint32_t>(number_at(bytes, kChecked + 4, 4)),
                      .symbols = number_at(bytes, kChecked + 8, 8),
                      .code = bytes.substr(kHeader)};
  const std::uint64_t expected = number_at(bytes, kChecked + 16, 8);
  if (header.code.size() < expected)
    fail(fmt::format("cut off, or damaged: its header announces {} bytes of code, {} are there",
                     expected, header.code.size()));
  if (header.code.size() > expected ||
      number_at(bytes, kMagic.size(), 4) != crc32(bytes.substr(kChecked)))
    fail("damaged: its checksum does not fit its content");
  return header;
}

}  // namespace

Compressed compress(const Model& model, std::uint32_t model_crc, std::string_view text) {
  if (model.vocabulary().level() == unroll::nn::Level::word)
    throw unroll::ArgumentError(
        "compress: a model of words does not know the spaces between them; take one of bytes or "
        "characters");
  const OneThread one_thread;
  const std::vector<std::int32_t> symbols = model.vocabulary().encode(text, "compress");
  Predictor predictor(model);
  range_coder::Encoder encoder;
  Compressed result{.bytes = {}, .symbols = static_cast<Index>(symbols.size())};
  for (const std::int32_t symbol : symbols) {
    const auto k = static_cast<std::size_t>(symbol);
    encoder.encode(range_coder::frequencies(predictor.logits()), k);
    result.nats -= predictor.log_probabilities()[k];
    predictor.read(symbol);
  }
  if (!symbols.empty()) result.nats /= static_cast<double>(symbols.size());

  const std::string code = encoder.finish();
  std::string checked;
  append(checked, model_crc, 4);
  append(checked, crc32(text), 4);
  append(checked, symbols.size(), 8);
  append(checked, code.size(), 8);
  checked += code;
  result.bytes = kMagic;
  append(result.bytes, crc32(checked), 4);
  result.bytes += checked;
  return result;
}

std::string decompress(const Model& model, std::uint32_t model_crc, std::string_view bytes,
                       const std::string& source) {
  const OneThread one_thread;
  const Header header = read_header(bytes, source);
  if (header.model != model_crc)
    throw FormatError(
        fmt::format("decompress: {}: compressed with another model: the checksum of its file is "
                    "{:08x}, that of this model's file {:08x}",
                    source, header.model, model_crc));
  Predictor predictor(model);
  range_coder::Decoder decoder(header.code);
  std::string text;
  for (std::uint64_t i = 0; i < header.symbols; ++i) {
    const auto symbol =
        static_cast<Index>(decoder.decode(range_coder::frequencies(predictor.logits())));
    text += model.vocabulary().symbol(symbol);
    predictor.read(symbol);
  }
  if (crc32(text) != header.text)
    throw FormatError(
        fmt::format("decompress: {}: the text does not have its checksum, so the model computes "
                    "other numbers here than where the file was made; decompress with the same "
                    "program on the same kind of processor",
                    source));
  return text;
}

}  // namespace lm
