#include "settings.hpp"

#include <fmt/format.h>
#include <autograd/tensor/error.hpp>
#include <nlohmann/json.hpp>

namespace lm {
namespace {

using nlohmann::json;
using unroll::FormatError;

/// Takes the members of a JSON object one by one.
class Reader {
 public:
  Reader(const std::string& text, std::string where) : where_(std::move(where)) {
    object_ = json::parse(text, nullptr, false);
    if (!object_.is_object()) fail("expected a JSON object with the network's options");
  }

  void take(const char* key, std::string& value) {
    const json& found = at(key);
    if (!found.is_string()) fail(fmt::format("{}: expected a string", key));
    value = found.get<std::string>();
  }
  void take(const char* key, bool& value) {
    const json& found = at(key);
    if (!found.is_boolean()) fail(fmt::format("{}: expected true or false", key));
    value = found.get<bool>();
  }
  void take(const char* key, Index& value, Index most) {
    const json& found = at(key);
    if (!found.is_number_integer() || found.get<double>() < 1 ||
        found.get<double>() > static_cast<double>(most))
      fail(fmt::format("{}: expected a whole number from 1 to {}", key, most));
    value = found.get<Index>();
  }
  void take_rate(const char* key, double& value) {
    const json& found = at(key);
    if (!found.is_number() || !(found.get<double>() >= 0.0 && found.get<double>() < 1.0))
      fail(fmt::format("{}: expected a rate from 0 to below 1", key));
    value = found.get<double>();
  }
  void check_all_taken() const {
    if (!object_.empty())
      fail(fmt::format("\"{}\" is unknown; a newer version may have written the file",
                       object_.begin().key().substr(0, 80)));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw FormatError(where_ + ": " + what); }

  const json& at(const char* key) {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(fmt::format("there is no \"{}\"", key));
    taken_ = *found;
    object_.erase(found);
    return taken_;
  }

  std::string where_;
  json object_, taken_;
};

}  // namespace

std::string to_json(const NetworkOptions& options) {
  return json{{"cell", options.cell},
              {"layers", options.layers},
              {"hidden", options.hidden},
              {"embedding", options.embedding},
              {"tied", options.tied},
              {"adaptive_softmax", options.adaptive_softmax},
              {"dropout", options.dropout},
              {"locked_dropout", options.locked_dropout},
              {"weight_drop", options.weight_drop},
              {"zoneout", options.zoneout}}
      .dump();
}

NetworkOptions network_from_json(const std::string& text, const std::string& where) {
  NetworkOptions options;
  Reader reader(text, where);
  reader.take("cell", options.cell);
  reader.take("layers", options.layers, kMaxLayers);
  reader.take("hidden", options.hidden, kMaxSize);
  reader.take("embedding", options.embedding, kMaxSize);
  reader.take("tied", options.tied);
  reader.take("adaptive_softmax", options.adaptive_softmax);
  reader.take_rate("dropout", options.dropout);
  reader.take_rate("locked_dropout", options.locked_dropout);
  reader.take_rate("weight_drop", options.weight_drop);
  reader.take_rate("zoneout", options.zoneout);
  reader.check_all_taken();
  return options;
}

}  // namespace lm
