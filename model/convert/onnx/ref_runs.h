#ifndef RONDO_MODEL_CONVERT_ONNX_REF_RUNS_H_
#define RONDO_MODEL_CONVERT_ONNX_REF_RUNS_H_

#include <cstdint>
#include <vector>

#include "model/convert/onnx/traced.h"

namespace rondo::convert {

// How refs stand in a row: what a value of them can be put together of.

constexpr size_t kMaxRuns = 64;  // of a value that is put together of parts

// Refs in a row of one source and time, at even distances.
struct RefRun {
  Ref first;
  int64_t step = 1, count = 1;
};

// The runs that the refs are, in their order; if there are more than kMaxRuns, the first so many and one.
std::vector<RefRun> RunsOf(const std::vector<Ref>& refs);

// Refs as rows of `width`: every part of the first row, whose refs lie at even distances, lies in the other rows at an
// even distance of its own. Empty: they are no such rows. Else the first place of each part in a row.
std::vector<int64_t> PartsOfRows(const std::vector<Ref>& refs, int64_t width);

// The least width of rows that have several parts (PartsOfRows). 0: the refs are no such rows.
int64_t WidthOfRows(const std::vector<Ref>& refs);

// Into how many pieces of one size, up to 8, the refs have to be cut so that each is of few runs, or of rows. 0: into
// more.
int64_t PiecesOf(const std::vector<Ref>& refs);

// How often each ref comes in a row, if all come equally often, or a multiple of that.
int64_t TimesInARow(const std::vector<Ref>& refs);

// After how many refs the same ones come again, and so on to the end; at the least.
int64_t PeriodOf(const std::vector<Ref>& refs);

}  // namespace rondo::convert

#endif  // RONDO_MODEL_CONVERT_ONNX_REF_RUNS_H_
