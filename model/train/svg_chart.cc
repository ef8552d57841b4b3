#include "model/train/svg_chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

namespace rondo::train {
namespace {

constexpr double kWidth = 900, kHeight = 300, kLeft = 64, kRight = 16, kTop = 30, kBottom = 44;
constexpr int kTicks = 5;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void Include(const std::vector<double>& values) {
    for (const double value : values) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  // Makes a range that can be drawn, with a margin.
  void Settle() {
    if (!(low <= high)) low = 0, high = 1;
    const double margin = high > low ? 0.06 * (high - low) : std::max(0.5, std::abs(high) * 0.1);
    low -= margin;
    high += margin;
  }
};

// Returns 1, 2 or 5 times a power of ten.
double TickStep(double span) {
  const double rough = span / kTicks, power = std::pow(10, std::floor(std::log10(rough))), digit = rough / power;
  return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

double YPlace(const Range& y, double value) {
  return kTop + (y.high - value) / (y.high - y.low) * (kHeight - kTop - kBottom);
}
double XPlace(size_t index, size_t count) {
  return kLeft + (count < 2 ? 0.5 : static_cast<double>(index) / (count - 1)) * (kWidth - kLeft - kRight);
}

std::string Open() {
  return absl::StrFormat("<svg viewBox=\"0 0 %g %g\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">", kWidth,
                         kHeight);
}

std::string YAxis(const Range& y, absl::string_view label) {
  std::string svg;
  const double step = TickStep(y.high - y.low);
  for (double value = std::ceil(y.low / step) * step; value <= y.high; value += step) {
    const double place = YPlace(y, value);
    absl::StrAppendFormat(&svg, "<line x1=\"%g\" x2=\"%g\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>", kLeft,
                          kWidth - kRight, place, place);
    absl::StrAppendFormat(&svg, "<text x=\"%g\" y=\"%.1f\" text-anchor=\"end\">%.6g</text>", kLeft - 8, place + 4,
                          std::abs(value) < step / 1e6 ? 0 : value);
  }
  absl::StrAppendFormat(&svg, "<text x=\"%g\" y=\"16\" class=\"label\">%s</text>", 8.0, EscapeHtml(label));
  return svg;
}

std::string XText(double x, absl::string_view text, absl::string_view anchor = "middle") {
  return absl::StrFormat("<text x=\"%.1f\" y=\"%g\" text-anchor=\"%s\">%s</text>", x, kHeight - kBottom + 18, anchor,
                         EscapeHtml(text));
}

std::string XAxis(const LineChart& chart, size_t count) {
  std::string svg;
  if (!chart.times.empty()) {
    const bool days = chart.times.back() - chart.times.front() > 5 * 86400;
    for (int tick = 0; tick <= kTicks; ++tick) {
      const size_t i = (count - 1) * tick / kTicks;
      const std::string text = absl::FormatTime(days ? "%Y-%m-%d" : "%m-%d %H:%M",
                                                absl::FromUnixSeconds(chart.times[i]), absl::UTCTimeZone());
      absl::StrAppend(&svg, XText(XPlace(i, count), text, tick == 0 ? "start" : tick == kTicks ? "end" : "middle"));
    }
  } else if (count > 0) {
    const auto step = static_cast<size_t>(std::max(1.0, TickStep(count)));
    for (size_t i = 0; i < count; i += step) {
      absl::StrAppend(&svg, XText(XPlace(i, count), absl::StrFormat("%g", chart.first_x + i)));
    }
  }
  absl::StrAppendFormat(&svg, "<text x=\"%g\" y=\"%g\" text-anchor=\"end\" class=\"label\">%s</text>", kWidth - kRight,
                        kHeight - 8, EscapeHtml(chart.x_label));
  return svg;
}

// Draws names and colours in the top right corner, to be read from the left.
std::string Legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  double x = kWidth - kRight;
  std::string svg;
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    x -= 7.2 * entry->first.size() + 26;
    absl::StrAppendFormat(&svg, "<rect x=\"%.1f\" y=\"8\" width=\"12\" height=\"10\" fill=\"%s\"/>", x, entry->second);
    absl::StrAppendFormat(&svg, "<text x=\"%.1f\" y=\"17\">%s</text>", x + 17, EscapeHtml(entry->first));
  }
  return svg;
}

std::string Points(const Range& y, const std::vector<double>& values, bool backwards = false) {
  std::string points;
  for (size_t k = 0; k < values.size(); ++k) {
    const size_t i = backwards ? values.size() - 1 - k : k;
    if (std::isfinite(values[i])) {
      absl::StrAppendFormat(&points, "%.1f,%.1f ", XPlace(i, values.size()), YPlace(y, values[i]));
    }
  }
  return points;
}

}  // namespace

std::string EscapeHtml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string RenderLineChart(const LineChart& chart) {
  constexpr char kBand[] = "#c7d7ee";
  Range y;
  size_t count = chart.lower.size();
  for (const LineChart::Line& line : chart.lines) {
    y.Include(line.values);
    count = std::max(count, line.values.size());
  }
  y.Include(chart.lower);
  y.Include(chart.upper);
  y.Settle();
  std::string svg = Open();
  if (!chart.lower.empty()) {
    absl::StrAppend(&svg, "<polygon fill=\"", kBand, "\" points=\"", Points(y, chart.upper),
                    Points(y, chart.lower, /*backwards=*/true), "\"/>");
  }
  absl::StrAppend(&svg, YAxis(y, chart.y_label), XAxis(chart, count));
  std::vector<std::pair<std::string, std::string>> legend;
  for (const LineChart::Line& line : chart.lines) {
    absl::StrAppend(&svg, "<polyline fill=\"none\" stroke-width=\"1.6\" stroke=\"", line.color, "\" points=\"",
                    Points(y, line.values), "\"/>");
    legend.emplace_back(line.label, line.color);
  }
  if (!chart.lower.empty()) legend.emplace_back(chart.band_label, kBand);
  return absl::StrCat(svg, Legend(legend), "</svg>");
}

std::string RenderBarChart(const BarChart& chart) {
  Range y;
  y.low = 0;
  for (const std::vector<double>& group : chart.values) y.Include(group);
  y.high = y.high > 0 ? y.high * 1.1 : 1;
  std::string svg = absl::StrCat(Open(), YAxis(y, chart.y_label));
  const double slot = (kWidth - kLeft - kRight) / std::max<size_t>(1, chart.groups.size());
  const double width = std::min(60.0, slot * 0.8 / std::max<size_t>(1, chart.bars.size()));
  const size_t label_every = 1 + chart.groups.size() / 24;
  for (size_t g = 0; g < chart.groups.size(); ++g) {
    const double middle = kLeft + (g + 0.5) * slot, start = middle - width * chart.bars.size() / 2;
    for (size_t b = 0; b < chart.bars.size(); ++b) {
      const double top = YPlace(y, chart.values[g][b]);
      absl::StrAppendFormat(
          &svg, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"><title>%s: %.4g</title></rect>",
          start + b * width, top, std::max(0.5, width - 1), YPlace(y, 0) - top, chart.colors[b],
          EscapeHtml(chart.bars[b]), chart.values[g][b]);
    }
    if (g % label_every == 0) absl::StrAppend(&svg, XText(middle, chart.groups[g]));
  }
  std::vector<std::pair<std::string, std::string>> legend;
  for (size_t b = 0; b < chart.bars.size(); ++b) legend.emplace_back(chart.bars[b], chart.colors[b]);
  return absl::StrCat(svg, Legend(legend), "</svg>");
}

}  // namespace rondo::train
