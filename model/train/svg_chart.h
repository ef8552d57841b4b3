#ifndef RONDO_MODEL_TRAIN_SVG_CHART_H_
#define RONDO_MODEL_TRAIN_SVG_CHART_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace rondo::train {

// Draws lines, and a band behind them, over a common x axis, as one inline SVG element.
struct LineChart {
  struct Line {
    std::string label;
    std::string color;
    std::vector<double> values;  // one an x; NaN: a gap
  };

  std::string x_label, y_label;
  double first_x = 0;                // x of the first value; then one a value
  std::vector<int64_t> times;        // if not empty: x is a date
  std::vector<double> lower, upper;  // the band; empty: none
  std::string band_label;
  std::vector<Line> lines;
};

std::string RenderLineChart(const LineChart& chart);

// Draws groups of bars: values[group][bar].
struct BarChart {
  std::string y_label;
  std::vector<std::string> groups, bars, colors;
  std::vector<std::vector<double>> values;
};

std::string RenderBarChart(const BarChart& chart);

// Returns `text` so that it is safe inside HTML and SVG, attributes included.
std::string EscapeHtml(absl::string_view text);

}  // namespace rondo::train

#endif  // RONDO_MODEL_TRAIN_SVG_CHART_H_
