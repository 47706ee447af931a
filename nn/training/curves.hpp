#pragma once

#include <string>
#include <vector>

namespace unroll::nn {

/// One curve: as many y as x. A value that is not finite, or not positive on a logarithmic axis, is
/// a gap in the line.
struct Curve {
  std::string label;
  std::vector<double> x;
  std::vector<double> y;
  bool points = false;  ///< with a dot at each value: for values that are few, as in validation
};

/// What a picture of curves shows beside them.
struct CurvesOptions {
  std::string title = {};
  std::string x_label = "step";
  std::string y_label = "loss";
  bool logarithmic = false;  ///< the y axis
  int width = 720;           ///< pixels
  int height = 420;          ///< pixels
};

/// A picture of training curves: an SVG that needs no other file and follows the light or dark
/// theme of its viewer. Of many values that share a column of pixels the lowest and the highest are
/// drawn. Throws ArgumentError for a curve with unequal numbers of x and y, and a picture below 320
/// x 200.
///
///     nn::write_curves("run/loss.svg", {{"training", steps, losses},
///                                       {"validation", at, validation, true}});
std::string curves_svg(const std::vector<Curve>& curves, const CurvesOptions& options = {});

/// Writes the picture. The file is whole at any time, so a viewer can reload it while training
/// runs. Throws Error when it cannot be written, and what curves_svg throws.
void write_curves(const std::string& path, const std::vector<Curve>& curves,
                  const CurvesOptions& options = {});

}  // namespace unroll::nn
