#pragma once

#include <autograd/tensor/shape.hpp>

#include <map>
#include <string>
#include <vector>

namespace lm {

/// A choice with options of its own on the command line: `lstm`, `sgd:momentum=0.9,nesterov=true`,
/// `clockwork:periods=1/2/4`. Whoever makes what was chosen asks for each option that it has, with
/// the default; check_all_known() refuses what was given and not asked for.
class Specification {
 public:
  /// `flag` begins the messages. Throws ArgumentError for what cannot be read.
  Specification(std::string flag, const std::string& text);

  const std::string& flag() const { return flag_; }
  const std::string& name() const { return name_; }

  /// The value of an option. Throws ArgumentError for one of another kind.
  double get(const char* option, double otherwise);
  unroll::Index get(const char* option, unroll::Index otherwise);
  bool get(const char* option, bool otherwise);
  std::vector<unroll::Index> get(const char* option, const std::vector<unroll::Index>& otherwise);
  std::string get(const char* option, const std::string& otherwise);

  void check_all_known() const;
  /// Throws ArgumentError that lists the names there are.
  [[noreturn]] void refuse_name(const char* kind, const std::vector<std::string>& names) const;
  [[noreturn]] void refuse(const char* option, const std::string& expected) const;

 private:
  /// nullptr where it was not given.
  const std::string* find(const char* option);

  std::string flag_, name_;
  std::map<std::string, std::string> given_;
  std::vector<std::string> known_;
};

}  // namespace lm
