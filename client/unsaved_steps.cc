#include "client/unsaved_steps.h"

#include <algorithm>

#include "absl/types/span.h"

namespace rondo {
namespace {

template <typename T>
void DropFront(std::vector<T>* values, size_t count) {
  values->erase(values->begin(), values->begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

void UnsavedSteps::Add(const SequenceInput& sequence, int64_t next) {
  const int64_t timesteps = next - *sequence.position;
  if (timesteps <= 0 || sequence.values.size() % static_cast<size_t>(timesteps) != 0) return Clear();
  const size_t width = sequence.values.size() / static_cast<size_t>(timesteps);
  const bool has_times = !sequence.times.empty();
  if (end_ != *sequence.position || width_ != width || has_times_ != has_times) {
    Clear();
    stored_begin_ = begin_ = *sequence.position;
  }
  width_ = width;
  has_times_ = has_times;
  end_ = next;
  values_.insert(values_.end(), sequence.values.begin(), sequence.values.end());
  times_.insert(times_.end(), sequence.times.begin(), sequence.times.end());
  DropBefore(end_ - static_cast<int64_t>(max_bytes_ / std::max<size_t>(TimestepBytes(), 1)));
}

void UnsavedSteps::DropBefore(int64_t position) {
  begin_ = std::clamp(position, begin_, end_);
  Compact();
}

void UnsavedSteps::Clear() {
  values_.clear();
  times_.clear();
  stored_begin_ = begin_ = end_ = 0;
}

void UnsavedSteps::Compact() {
  const int64_t dead = begin_ - stored_begin_;
  if (2 * dead < end_ - stored_begin_) return;
  DropFront(&values_, static_cast<size_t>(dead) * width_);
  if (has_times_) DropFront(&times_, static_cast<size_t>(dead));
  stored_begin_ = begin_;
}

SequenceInput UnsavedSteps::From(int64_t position, int64_t max_timesteps) const {
  const auto offset = static_cast<size_t>(position - stored_begin_);
  const auto count = static_cast<size_t>(std::min(end_ - position, max_timesteps));
  SequenceInput sequence;
  sequence.position = position;
  const auto values = absl::MakeConstSpan(values_).subspan(offset * width_, count * width_);
  sequence.values.assign(values.begin(), values.end());
  const auto times = absl::MakeConstSpan(times_).subspan(has_times_ ? offset : 0, has_times_ ? count : 0);
  sequence.times.assign(times.begin(), times.end());
  return sequence;
}

}  // namespace rondo
