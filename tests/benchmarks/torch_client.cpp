#include "torch_client.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <limits>
#include <sstream>
#include <stdexcept>

namespace benchmarks {
namespace {

std::filesystem::path server() {
  return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "torch_server";
}

}  // namespace

bool Torch::available() { return std::filesystem::exists(server()); }

Torch& Torch::instance() {
  static Torch torch;
  return torch;
}

Torch::Torch() {
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0)
    throw std::runtime_error("torch_server: no pipe");
  std::signal(SIGPIPE, SIG_IGN);  // a server that died is reported by ask()
  const std::string program = server();
  process_ = fork();
  if (process_ < 0) throw std::runtime_error("torch_server: no process");
  if (process_ == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execl(program.c_str(), program.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  to_ = fdopen(in[1], "w");
  from_ = fdopen(out[0], "r");
}

Torch::~Torch() {
  std::fclose(to_);
  std::fclose(from_);
  waitpid(process_, nullptr, 0);
}

std::string Torch::ask(const std::string& line) {
  std::array<char, 256> answer{};
  if (std::fprintf(to_, "%s\n", line.c_str()) < 0 || std::fflush(to_) != 0 ||
      !std::fgets(answer.data(), static_cast<int>(answer.size()), from_))
    throw std::runtime_error("torch_server ended at \"" + line + "\"");
  return answer.data();
}

Summary Torch::make(const std::string& kind, Size size) {
  std::istringstream answer(ask("make " + kind + ' ' + std::to_string(size.steps) + ' ' +
                                std::to_string(size.batch) + ' ' + std::to_string(size.hidden)));
  Summary summary;
  answer >> summary.loss >> summary.gradient_norm;
  return summary;
}

void Torch::set_threads(int torch_threads, int blas_threads) {
  ask("threads " + std::to_string(torch_threads) + ' ' + std::to_string(blas_threads));
}

Contender Torch::contender() {
  return {[this](int steps) { return std::stod(ask("run " + std::to_string(steps))); }};
}

Torch::Best Torch::best(const std::string& kind, Size size, Size trial, int most_threads) {
  set_threads(1, 1);
  make(kind, trial);
  int torch_threads = 1;
  int blas_threads = 1;
  double fastest = std::numeric_limits<double>::infinity();
  for (int in_torch = 1; most_threads > 1 && in_torch <= most_threads; ++in_torch)
    for (int in_blas = 1; in_blas <= most_threads; ++in_blas) {
      set_threads(in_torch, in_blas);
      const double seconds = glance(contender());
      if (seconds >= fastest) continue;
      fastest = seconds;
      torch_threads = in_torch;
      blas_threads = in_blas;
    }
  set_threads(torch_threads, blas_threads);
  Best result;
  result.summary = make(kind, size);
  result.contender = contender();
  result.setting = "threads: torch " + std::to_string(torch_threads) + ", its BLAS " +
                   std::to_string(blas_threads);
  return result;
}

double Torch::memory() { return std::stod(ask("memory")); }

}  // namespace benchmarks
