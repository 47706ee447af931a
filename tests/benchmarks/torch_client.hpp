#pragma once

#include "in_turn.hpp"
#include "pattern.hpp"

#include <sys/types.h>

#include <cstdio>
#include <string>

namespace benchmarks {

/// torch_server, started on first use and asked line by line. Throws std::runtime_error when it has
/// gone away.
class Torch {
 public:
  /// False when the benchmarks were built without libtorch.
  static bool available();
  static Torch& instance();

  Torch(const Torch&) = delete;
  Torch& operator=(const Torch&) = delete;

  /// Prepares a step; the one before is dropped.
  Summary make(const std::string& kind, Size size);

  /// The step prepared, at the setting of threads, at most so many in each of libtorch's two pools,
  /// that is fastest for it. `trial`: a smaller step of the same kind to find that out with.
  struct Best {
    Contender contender;
    Summary summary;
    std::string setting;
  };
  Best best(const std::string& kind, Size size, Size trial, int most_threads);

  /// Bytes that the step prepared has at its peak beyond those before.
  double memory();

 private:
  Torch();
  ~Torch();
  std::string ask(const std::string& line);
  Contender contender();
  void set_threads(int torch_threads, int blas_threads);

  pid_t process_ = -1;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace benchmarks
