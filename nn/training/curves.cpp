#include <autograd/tensor/error.hpp>
#include <nn/io/atomic_file.hpp>
#include <nn/training/curves.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <limits>
#include <string_view>
#include <utility>

namespace unroll::nn {
namespace {

/// Colours for one background.
struct Theme {
  const char* paper;
  const char* ink;
  const char* grid;
  std::array<const char*, 6> curves;
};
constexpr Theme kLight{"#ffffff",
                       "#24292f",
                       "#d8dee4",
                       {"#0969da", "#d1460b", "#1a7f37", "#8250df", "#9a6700", "#bf3989"}};
constexpr Theme kDark{"#0d1117",
                      "#d0d7de",
                      "#343b43",
                      {"#58a6ff", "#ff9b5e", "#56d364", "#bc8cff", "#e3b341", "#ff7bc0"}};

/// Plain rules: many viewers know no CSS variables.
std::string rules(const Theme& theme) {
  std::string css = std::string(".paper{fill:") + theme.paper + "}text{fill:" + theme.ink +
                    "}.grid{stroke:" + theme.grid + '}';
  for (std::size_t k = 0; k < theme.curves.size(); ++k) {
    const std::string number = std::to_string(k);
    css.append(".line").append(number).append("{stroke:").append(theme.curves[k]);
    css.append("}.dots").append(number).append("{fill:").append(theme.curves[k]).append("}");
  }
  return css;
}

std::string style() {
  return "<style>text{font:12px sans-serif}.title{font-size:15px;font-weight:600}"
         ".curve{fill:none;stroke-width:1.6;stroke-linejoin:round}" +
         rules(kLight) + "@media(prefers-color-scheme:dark){" + rules(kDark) + "}</style>\n";
}

/// With few digits, and without a locale's comma.
std::string text_of(double number) {
  std::array<char, 32> text{};
  const int size = std::snprintf(text.data(), text.size(), "%.7g", number);
  std::string result(text.data(), static_cast<std::size_t>(size));
  std::replace(result.begin(), result.end(), ',', '.');
  return result;
}

std::string pixels(double position) { return text_of(std::round(position * 10.0) / 10.0); }

std::string escape(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '<')
      result += "&lt;";
    else if (c == '&')
      result += "&amp;";
    else
      result += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return result;
}

/// The values of one axis and where they lie.
struct Axis {
  bool logarithmic = false;
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double begin = 0.0;  ///< pixel of the lowest value
  double end = 0.0;    ///< pixel of the highest value

  /// False also for values so large or small that arithmetic with them leaves the range of double.
  bool shows(double value) const {
    constexpr double kLargest = 1e250;
    return std::abs(value) <= kLargest && (!logarithmic || value >= 1.0 / kLargest);
  }
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  /// Never empty, and with space above and below the values when `margin` is positive.
  void widen(double margin) {
    if (low > high) {
      low = logarithmic ? 0.1 : 0.0;
      high = 1.0;
    }
    const double size = std::max(std::abs(low), std::abs(high));
    if (high - low <= 1e-6 * size) {  // ticks would not differ
      const double half = size == 0.0 ? 0.5 : size / 2;
      low -= half;
      high += half;
    }
    const double from = scaled(low);
    const double to = scaled(high);
    low = unscaled(from - margin * (to - from));
    high = unscaled(to + margin * (to - from));
  }
  double pixel(double value) const {
    const double part = (scaled(value) - scaled(low)) / (scaled(high) - scaled(low));
    return begin + part * (end - begin);
  }
  std::vector<double> ticks() const {
    if (logarithmic && high / low >= 10.0) return decades();
    const double rough = high / 6 - low / 6;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    const double ratio = rough / power;
    const double step = power * (ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10);
    std::vector<double> ticks;
    for (double k = std::ceil(low / step); k * step <= high && ticks.size() < 20; ++k)
      ticks.push_back(k * step + 0.0);  // no -0
    return ticks;
  }

 private:
  double scaled(double value) const { return logarithmic ? std::log10(value) : value; }
  double unscaled(double value) const { return logarithmic ? std::pow(10.0, value) : value; }
  std::vector<double> decades() const {
    const double first = std::floor(std::log10(low));
    const double last = std::log10(high);
    const double stride = std::ceil((last - first) / 8);
    std::vector<double> ticks;
    for (double power = first; power <= last; power += stride)
      for (const double digit : {1.0, 2.0, 5.0}) {
        if (digit > 1.0 && last - first > 3.0) continue;
        const double tick = digit * std::pow(10.0, power);
        if (tick >= low && tick <= high) ticks.push_back(tick);
      }
    return ticks;
  }
};

using Point = std::pair<double, double>;

/// Pixels of one line without gaps; of a column of pixels the first, lowest, highest and last.
class Line {
 public:
  void add(Point point) {
    if (!column_.empty() && std::floor(column_[0].first) != std::floor(point.first)) flush();
    column_.push_back(point);
  }
  /// The line as path data, and an empty line from here on.
  std::string take() {
    flush();
    return std::exchange(path_, {});
  }

 private:
  void flush() {
    if (column_.empty()) return;
    const auto [low, high] =
        std::minmax_element(column_.begin(), column_.end(),
                            [](const Point& a, const Point& b) { return a.second < b.second; });
    std::vector chosen{column_.begin(), std::min(low, high), std::max(low, high),
                       std::prev(column_.end())};
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const auto& point : chosen) {
      path_ += path_.empty() ? 'M' : 'L';
      path_.append(pixels(point->first)).append(" ").append(pixels(point->second));
    }
    column_.clear();
  }

  std::vector<Point> column_;
  std::string path_;
};

class Picture {
 public:
  Picture(const std::vector<Curve>& curves, const CurvesOptions& options)
      : curves_(curves), options_(options) {
    y_.logarithmic = options.logarithmic;
    std::size_t longest = 0;
    for (const Curve& curve : curves) {
      longest = std::max(longest, curve.label.size());
      for (std::size_t k = 0; k < curve.x.size(); ++k) {
        if (!x_.shows(curve.x[k]) || !y_.shows(curve.y[k])) continue;
        x_.include(curve.x[k]);
        y_.include(curve.y[k]);
      }
    }
    const double legend =
        longest == 0 ? 20.0
                     : std::min(45.0 + 7.0 * static_cast<double>(longest), options.width / 3.0);
    x_.begin = 76.0;
    x_.end = options.width - legend;
    y_.begin = options.height - 50.0;
    y_.end = options.title.empty() ? 20.0 : 42.0;
    x_.widen(0.0);
    y_.widen(0.05);
  }

  std::string svg() {
    const std::string size =
        std::to_string(options_.width) + "\" height=\"" + std::to_string(options_.height);
    out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + size + "\" viewBox=\"0 0 " +
           std::to_string(options_.width) + ' ' + std::to_string(options_.height) +
           "\" role=\"img\">\n" + style() +
           "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n";
    add_axes();
    for (std::size_t k = 0; k < curves_.size(); ++k) add_curve(k);
    return std::move(out_) + "</svg>\n";
  }

 private:
  void add_text(double x, double y, const char* attributes, std::string_view text) {
    out_ += "<text x=\"" + pixels(x) + "\" y=\"" + pixels(y) + "\" " + attributes + '>' +
            escape(text) + "</text>\n";
  }
  void add_grid(double x1, double y1, double x2, double y2) {
    out_ += "<line class=\"grid\" x1=\"" + pixels(x1) + "\" y1=\"" + pixels(y1) + "\" x2=\"" +
            pixels(x2) + "\" y2=\"" + pixels(y2) + "\"/>\n";
  }

  void add_axes() {
    for (const double tick : x_.ticks()) {
      add_grid(x_.pixel(tick), y_.begin, x_.pixel(tick), y_.end);
      add_text(x_.pixel(tick), y_.begin + 18, "text-anchor=\"middle\"", text_of(tick));
    }
    for (const double tick : y_.ticks()) {
      add_grid(x_.begin, y_.pixel(tick), x_.end, y_.pixel(tick));
      add_text(x_.begin - 8, y_.pixel(tick) + 4, "text-anchor=\"end\"", text_of(tick));
    }
    const double middle = (x_.begin + x_.end) / 2;
    add_text(middle, options_.height - 12, "text-anchor=\"middle\"", options_.x_label);
    out_ += "<g transform=\"translate(16 " + pixels((y_.begin + y_.end) / 2) + ") rotate(-90)\">";
    add_text(0, 0, "text-anchor=\"middle\"", options_.y_label);
    out_ += "</g>\n";
    if (!options_.title.empty())
      add_text(middle, 24, "class=\"title\" text-anchor=\"middle\"", options_.title);
  }

  void add_curve(std::size_t index) {
    const Curve& curve = curves_[index];
    const std::string number = std::to_string(index % kLight.curves.size());
    const std::string stroke = "<path class=\"curve line" + number + "\" d=\"";
    std::string path;
    std::string dots;
    Line line;
    for (std::size_t k = 0; k < curve.x.size(); ++k) {
      if (!x_.shows(curve.x[k]) || !y_.shows(curve.y[k])) {
        path += line.take();
        continue;
      }
      const Point point{x_.pixel(curve.x[k]), y_.pixel(curve.y[k])};
      line.add(point);
      if (curve.points)
        dots += "<circle cx=\"" + pixels(point.first) + "\" cy=\"" + pixels(point.second) +
                "\" r=\"3\"/>";
    }
    path += line.take();
    if (!path.empty()) out_ += stroke + path + "\"/>\n";
    if (!dots.empty()) out_ += "<g class=\"dots" + number + "\">" + dots + "</g>\n";
    if (curve.label.empty()) return;
    const double x = x_.end + 12;
    const double y = y_.end + 10 + 20.0 * static_cast<double>(index);
    out_ += stroke + "M" + pixels(x) + ' ' + pixels(y) + "h18\"/>\n";
    add_text(x + 24, y + 4, "", curve.label);
  }

  const std::vector<Curve>& curves_;
  const CurvesOptions& options_;
  Axis x_, y_;
  std::string out_;
};

}  // namespace

std::string curves_svg(const std::vector<Curve>& curves, const CurvesOptions& options) {
  for (const Curve& curve : curves)
    if (curve.x.size() != curve.y.size())
      throw ArgumentError("curves_svg: the curve \"" + curve.label + "\" has " +
                          std::to_string(curve.x.size()) + " x and " +
                          std::to_string(curve.y.size()) + " y, expected as many");
  if (options.width < 320 || options.height < 200)
    throw ArgumentError("curves_svg: the picture is " + std::to_string(options.width) + " x " +
                        std::to_string(options.height) + " pixels, expected at least 320 x 200");
  return Picture(curves, options).svg();
}

void write_curves(const std::string& path, const std::vector<Curve>& curves,
                  const CurvesOptions& options) {
  const std::string text = curves_svg(curves, options);
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

}  // namespace unroll::nn
