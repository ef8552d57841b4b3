#ifndef RONDO_SERVER_METRICS_SESSIONS_PROBE_H_
#define RONDO_SERVER_METRICS_SESSIONS_PROBE_H_

#include "absl/strings/string_view.h"
#include "server/metrics/label_values.h"
#include "server/metrics/metric_cells.h"
#include "server/metrics/probe.h"

namespace rondo {

// What may happen to a session.
enum class SessionEvent { kCreated, kDeleted, kExpired, kRestarted, kEvicted, kRestored, kMoved, kAdopted, kWentBack };

constexpr absl::string_view LabelOf(SessionEvent event) {
  switch (event) {
    case SessionEvent::kCreated:
      return "created";
    case SessionEvent::kDeleted:
      return "deleted";
    case SessionEvent::kExpired:
      return "expired";
    case SessionEvent::kRestarted:
      return "restarted";
    case SessionEvent::kEvicted:
      return "evicted";
    case SessionEvent::kRestored:
      return "restored";
    case SessionEvent::kMoved:
      return "moved";
    case SessionEvent::kAdopted:  // another version of its model goes on with it
      return "adopted";
    case SessionEvent::kWentBack:  // the server that had it ended without saving it
      return "went_back";
  }
  return {};
}

// The sessions of one model name.
struct ModelSessionsProbe : Probe {
  Metric<Gauge> live{this, {"rondo_sessions", "Live sessions."}};
  Metric<PerLabel<Counter, SessionEvent>> events{
      this, {"rondo_session_events_total", "Sessions that began or ended, by what happened.", {"event"}}};

  // A session is live from now on.
  void Began(SessionEvent event) {
    events[event].Add();
    live.Add(1);
  }
  // A live session is live no more.
  void Ended(SessionEvent event) {
    events[event].Add();
    live.Add(-1);
  }
};

// All sessions of the server.
struct SessionsProbe : Probe {
  Metric<Gauge> state_bytes{
      this, {"rondo_session_state_bytes", "Memory of all session state slots, used or free, in bytes."}};
  Metric<Gauge> unsaved{
      this, {"rondo_unsaved_sessions", "Sessions that have changed since they were last in the session store."}};
};

}  // namespace rondo

#endif  // RONDO_SERVER_METRICS_SESSIONS_PROBE_H_
