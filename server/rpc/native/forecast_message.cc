#include "server/rpc/native/forecast_message.h"

#include "absl/types/span.h"

namespace rondo {
namespace {

absl::Span<const int64_t> TimesOf(const google::protobuf::RepeatedField<int64_t>& times) {
  return absl::MakeConstSpan(times.data(), static_cast<size_t>(times.size()));
}

}  // namespace

void ForecastMessage::Start(absl::Time now, absl::Time deadline) {
  ComesFrom(*owner_);
  ForecastView view;
  view.model = request_.model();
  view.version = request_.version();
  view.session_id = request_.session_id();
  view.history = request_.history();
  view.history_times = TimesOf(request_.history_times());
  view.horizon = request_.horizon();
  view.known_inputs = request_.known_inputs();
  view.known_times = TimesOf(request_.known_times());
  view.num_paths = request_.num_paths();
  view.path_quantiles = request_.path_quantiles();
  view.seed = request_.seed();
  forecast_.Start(view, now, deadline);
}

void ForecastMessage::OnMessageDone() {
  if (forecast_.status().ok()) {
    response_.mutable_values()->Add(forecast_.values().begin(), forecast_.values().end());
    response_.set_position(forecast_.position());
    if (forecast_.last_time().has_value()) response_.set_last_time(*forecast_.last_time());
  }
  owner_->OnMessageDone();
}

}  // namespace rondo
