#pragma once

#include <string>

namespace lm {

struct ReportOptions {
  std::string model = "lm.safetensors";
  std::string out = "";  ///< empty: MODEL.report.html
  bool overwrite = false;
};

/// The command `report`: writes a page about the run of a model, complete in itself: curves,
/// settings, the best validation and samples of text. The run may still be going on.
void run_report(const ReportOptions& options);

}  // namespace lm
