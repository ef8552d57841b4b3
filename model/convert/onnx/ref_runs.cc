#include "model/convert/onnx/ref_runs.h"

#include <numeric>

namespace rondo::convert {

std::vector<RefRun> RunsOf(const std::vector<Ref>& refs) {
  std::vector<RefRun> runs;
  for (const Ref& ref : refs) {
    if (!runs.empty()) {
      RefRun& run = runs.back();
      const bool together = run.first.source == ref.source && (ref.constant() || run.first.time == ref.time);
      const int64_t distance = ref.index - (run.first.index + run.step * (run.count - 1));
      if (together && (ref.constant() || (run.count == 1 && distance > 0) || (run.count > 1 && distance == run.step))) {
        if (run.count == 1 && !ref.constant()) run.step = distance;
        ++run.count;
        continue;
      }
    }
    runs.push_back({ref, 1, 1});
    if (runs.size() > kMaxRuns) break;
  }
  return runs;
}

std::vector<int64_t> PartsOfRows(const std::vector<Ref>& refs, int64_t width) {
  std::vector<int64_t> parts;
  for (int64_t i = 0; i < width; ++i) {
    const int64_t own = parts.empty() ? 0 : i - parts.back();
    const Ref& ref = refs[i];
    bool goes_on = i > 0 && ref.source == refs[i - 1].source;
    if (goes_on && !ref.constant()) {
      const int64_t step = ref.index - refs[i - 1].index;
      goes_on = ref.time == refs[i - 1].time && step >= 0 && (own < 2 || step == refs[i - 1].index - refs[i - 2].index);
    }
    if (!goes_on) parts.push_back(i);
    if (parts.size() > kMaxRuns) return {};
  }
  for (size_t part = 0; part < parts.size(); ++part) {
    const int64_t first = parts[part], end = part + 1 < parts.size() ? parts[part + 1] : width;
    const int64_t apart = refs[width + first].index - refs[first].index;
    for (int64_t row = width; row < static_cast<int64_t>(refs.size()); row += width) {
      for (int64_t i = row + first; i < row + end; ++i) {
        const Ref &ref = refs[i], &above = refs[i - width];
        if (ref.source != above.source) return {};
        if (!ref.constant() && (ref.time != above.time || ref.index != above.index + apart)) return {};
      }
    }
  }
  return parts;
}

int64_t WidthOfRows(const std::vector<Ref>& refs) {
  const int64_t count = static_cast<int64_t>(refs.size());
  for (int64_t width = 2; width <= count / 2; ++width) {
    if (count % width == 0 && PartsOfRows(refs, width).size() > 1) return width;
  }
  return 0;
}

int64_t PiecesOf(const std::vector<Ref>& refs) {
  const int64_t count = static_cast<int64_t>(refs.size());
  for (int64_t pieces = 2; pieces <= 8; ++pieces) {
    if (count % pieces != 0) continue;
    const auto joins = [&](int64_t piece) {
      const auto begin = refs.begin() + piece * (count / pieces);
      const std::vector<Ref> own(begin, begin + count / pieces);
      return RunsOf(own).size() <= kMaxRuns || WidthOfRows(own) > 0;
    };
    int64_t piece = 0;
    while (piece < pieces && joins(piece)) ++piece;
    if (piece == pieces) return pieces;
  }
  return 0;
}

int64_t TimesInARow(const std::vector<Ref>& refs) {
  int64_t times = 0, begin = 0;
  const int64_t count = static_cast<int64_t>(refs.size());
  for (int64_t i = 1; i <= count; ++i) {
    if (i < count && refs[i].Follows(refs[begin], 0)) continue;
    times = std::gcd(times, i - begin);
    begin = i;
  }
  return times;
}

int64_t PeriodOf(const std::vector<Ref>& refs) {
  const int64_t count = static_cast<int64_t>(refs.size());
  for (int64_t period = 1; period <= count / 2; ++period) {
    if (count % period != 0) continue;
    int64_t i = period;
    while (i < count && refs[i].Follows(refs[i - period], 0)) ++i;
    if (i == count) return period;
  }
  return count;
}

}  // namespace rondo::convert
