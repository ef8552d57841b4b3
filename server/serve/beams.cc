#include "server/serve/beams.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace rondo {
namespace {

constexpr size_t kNoNode = static_cast<size_t>(-1);
constexpr double kNever = -std::numeric_limits<double>::infinity();

bool IsBefore(const Beams::Live& a, const Beams::Live& b) {
  if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
  return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
}

}  // namespace

class Beams::Best {
 public:
  explicit Best(size_t most) : most_(most) { kept_.reserve(most + 1); }

  // A candidate below this is not among the best.
  double least() const { return kept_.size() < most_ ? kNever : kept_.front().log_probability; }
  void Offer(const Live& candidate) {
    if (kept_.size() == most_ && !IsBefore(candidate, kept_.front())) return;
    kept_.push_back(candidate);
    std::push_heap(kept_.begin(), kept_.end(), IsBefore);  // the worst one is in front
    if (kept_.size() <= most_) return;
    std::pop_heap(kept_.begin(), kept_.end(), IsBefore);
    kept_.pop_back();
  }
  // The best one first.
  std::vector<Live> Take() {
    std::sort_heap(kept_.begin(), kept_.end(), IsBefore);
    return std::move(kept_);
  }

 private:
  const size_t most_;
  std::vector<Live> kept_;
};

Beams::Beams(BeamRules rules, size_t tokens) : rules_(std::move(rules)), is_stop_(tokens, false), live_(1) {
  for (const int32_t stop : rules_.stops) is_stop_[static_cast<size_t>(stop)] = true;
  live_.front().node = kNoNode;
  nodes_.reserve(rules_.width * rules_.max_tokens);
  found_.reserve(rules_.width + 1);
}

void Beams::Grow(absl::Span<const absl::Span<const float>> probabilities) {
  Best best(rules_.width), growing(rules_.width);
  for (size_t i = 0; i < live_.size(); ++i) {
    const double before = live_[i].log_probability;
    double least = 0;  // a probability that is clearly too small to count
    const auto update_least = [&] { least = 0.999 * std::exp(std::min(best.least(), growing.least()) - before); };
    update_least();
    for (size_t token = 0; token < is_stop_.size(); ++token) {
      const auto probability = static_cast<double>(probabilities[i][token]);
      if (!(probability > 0) || probability < least) continue;
      const Live candidate{i, static_cast<int32_t>(token), before + std::log(probability), kNoNode};
      best.Offer(candidate);
      if (!is_stop_[token]) growing.Offer(candidate);
      update_least();
    }
  }
  ++length_;
  for (const Live& candidate : best.Take()) {
    if (is_stop_[static_cast<size_t>(candidate.token)]) AddFound(candidate, /*stopped=*/true);
  }
  std::vector<Live> next = growing.Take();
  const bool complete = length_ == rules_.max_tokens;
  if (complete) {
    for (const Live& candidate : next) AddFound(candidate, /*stopped=*/false);
  }
  const bool some_can_win =
      !next.empty() &&
      (found_.size() < rules_.width || found_.back().score < ScoreOf(next.front().log_probability, rules_.max_tokens));
  if (complete || !some_can_win) next.clear();
  for (Live& grown : next) {
    nodes_.push_back({live_[grown.parent].node, grown.token});
    grown.node = nodes_.size() - 1;
  }
  live_ = std::move(next);
}

void Beams::AddFound(const Live& candidate, bool stopped) {
  const double score = ScoreOf(candidate.log_probability, length_);
  if (found_.size() == rules_.width && score <= found_.back().score) return;
  const auto place =
      std::find_if(found_.begin(), found_.end(), [&](const FoundSequence& other) { return other.score < score; });
  found_.insert(place, {TokensOf(candidate), candidate.log_probability, score, stopped});
  if (found_.size() > rules_.width) found_.pop_back();
}

std::vector<int32_t> Beams::TokensOf(const Live& candidate) const {
  std::vector<int32_t> tokens(length_);
  tokens.back() = candidate.token;
  size_t node = live_[candidate.parent].node;
  for (size_t i = length_ - 1; i > 0; --i) {
    tokens[i - 1] = nodes_[node].token;
    node = nodes_[node].before;
  }
  return tokens;
}

double Beams::ScoreOf(double log_probability, size_t tokens) const {
  return log_probability / std::pow(static_cast<double>(tokens), rules_.length_penalty);
}

}  // namespace rondo
