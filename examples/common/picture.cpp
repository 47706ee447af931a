#include "common/picture.hpp"

#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <autograd/tensor/error.hpp>
#include <nn/io/safetensors.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace example {
namespace {

/// A string of gnuplot: nothing in single quotes is special but the quote itself, which is doubled.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "''" : std::string(1, c);
  return result + "'";
}

std::string script_of(const std::string& picture, const std::vector<Panel>& panels) {
  const bool png = picture.ends_with(".png");
  std::string script = fmt::format(
      "set terminal {} size 900,{} font 'DejaVu Sans,12' background rgb 'white'\n"
      "set output {}\nset grid xtics ytics lt 1 lc rgb '#dddddd'\nset colorsequence podo\nset key "
      "opaque\n"
      "set multiplot layout {},1\n",
      png ? "pngcairo" : "svg", 420 * panels.size(), quoted(picture), panels.size());
  for (const Panel& panel : panels) script += panel.script();
  return script + "unset multiplot\n";
}

enum class Outcome { drawn, failed, no_gnuplot };

Outcome run_gnuplot(std::string script) {
  std::string program = "gnuplot";
  const std::array<char*, 3> argv{program.data(), script.data(), nullptr};
  ::pid_t child = 0;
  const int error = ::posix_spawnp(&child, "gnuplot", nullptr, nullptr, argv.data(), environ);
  if (error == ENOENT) return Outcome::no_gnuplot;
  int status = 0;
  if (error != 0 || ::waitpid(child, &status, 0) != child) return Outcome::failed;
  return status == 0 ? Outcome::drawn : Outcome::failed;
}

}  // namespace

Panel::Panel(std::string title, std::string x_label, std::string y_label)
    : title_(std::move(title)), x_label_(std::move(x_label)), y_label_(std::move(y_label)) {}

Panel& Panel::set(const std::string& setting) {
  settings_.push_back(setting);
  return *this;
}

Panel& Panel::curve(const std::string& legend, const std::string& style,
                    const std::vector<std::vector<double>>& columns) {
  if (columns.empty() || columns[0].empty())
    throw unroll::ArgumentError("picture: the curve \"" + legend + "\" has no points");
  for (const auto& column : columns)
    if (column.size() != columns[0].size())
      throw unroll::ArgumentError(
          fmt::format("picture: the columns of \"{}\" have {} and {} numbers", legend,
                      columns[0].size(), column.size()));
  curves_.push_back({legend, style, columns});
  return *this;
}

std::string Panel::script() const {
  // What one panel sets must not reach the next.
  std::string script =
      "unset logscale\nset autoscale\nset xtics norotate autofreq\nset ytics autofreq\nset key "
      "default\n"
      "set key opaque\nunset arrow\nunset label\n";
  script += fmt::format("set title {}\nset xlabel {}\nset ylabel {}\n", quoted(title_),
                        quoted(x_label_), quoted(y_label_));
  for (const std::string& setting : settings_) script += "set " + setting + "\n";
  std::string plots;
  for (std::size_t k = 0; k < curves_.size(); ++k) {
    const Curve& curve = curves_[k];
    script += fmt::format("$curve{} << EOD\n", k);
    for (std::size_t row = 0; row < curve.columns[0].size(); ++row) {
      for (const auto& column : curve.columns) script += fmt::format("{:.7g} ", column[row]);
      script += "\n";
    }
    script += "EOD\n";
    plots += fmt::format("{}$curve{} title {} {}", k == 0 ? "plot " : ", ", k, quoted(curve.legend),
                         curve.style);
  }
  return script + plots + "\n";
}

std::vector<std::vector<double>> spread(const std::vector<double>& x,
                                        const std::vector<std::vector<double>>& runs) {
  std::vector<std::vector<double>> columns{x, {}, {}, {}};
  for (std::size_t k = 0; k < x.size(); ++k) {
    std::vector<double> sorted;
    for (const auto& run : runs) sorted.push_back(run[k]);
    std::sort(sorted.begin(), sorted.end());
    const std::size_t middle = sorted.size() / 2;
    columns[1].push_back((sorted[middle] + sorted[(sorted.size() - 1) / 2]) / 2.0);
    columns[2].push_back(sorted.front());
    columns[3].push_back(sorted.back());
  }
  return columns;
}

void check_picture(const std::string& path) {
  if (!path.ends_with(".svg") && !path.ends_with(".png"))
    throw unroll::ArgumentError("--picture: \"" + path + "\" must end in .svg or .png");
  unroll::nn::check_writable(path);
}

void draw(const std::string& path, const std::vector<Panel>& panels) {
  const std::string script = std::filesystem::path(path).replace_extension(".gnuplot").string();
  std::ofstream out(script);
  out << script_of(path, panels);
  out.close();
  if (!out) throw unroll::Error("picture: \"" + script + "\" cannot be written");
  switch (run_gnuplot(script)) {
    case Outcome::drawn:
      fmt::print("\nPicture: {}, drawn from {}\n", path, script);
      break;
    case Outcome::no_gnuplot:
      fmt::print(
          "\nNo picture: gnuplot is not installed (Debian: gnuplot-nox). Later: gnuplot {}\n",
          script);
      break;
    case Outcome::failed:
      throw unroll::Error("picture: gnuplot could not draw " + script);
  }
}

}  // namespace example
