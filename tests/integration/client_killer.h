#ifndef RONDO_TESTS_INTEGRATION_CLIENT_KILLER_H_
#define RONDO_TESTS_INTEGRATION_CLIENT_KILLER_H_

#include <cstdint>
#include <future>
#include <set>
#include <string>

#include "tests/integration/doomed_client.h"
#include "tests/integration/healthy_load.h"
#include "tests/integration/known_series.h"
#include "tests/integration/test_server.h"

namespace rondo {

// What a client is about when it dies.
enum class Stage {
  kConnected,
  kStreamOpened,
  kHalfMessageSent,
  kRunning,
  kBehindItself,      // in its session's queue, behind its own message
  kBehindAnother,     // ... behind another client's
  kInFrontOfAnother,  // with another client's message behind it
  kPipelined,
  kReplyNotRead,
  kForecast,
  kDeadline,
};
constexpr int kStages = 11;

// What a dead client left behind, or may have.
struct Victim {
  Stage stage;
  std::string session_id;
  size_t series;
  std::set<int64_t> ends_of_messages;  // where its session may stand; 0: it may also not exist
};

// Makes clients and lets them die, one for each call of Kill.
//
// Threads: Kill from several at once.
class ClientKiller {
 public:
  // Timesteps of the series that victims may send.
  static constexpr int64_t kTimesteps = 3600;

  // Model "lstm" of `server`, fed with `series`. `load` tells how time goes by. All borrowed.
  ClientKiller(TestServer* server, const KnownSeries* series, const HealthyLoad* load)
      : server_(server), series_(series), load_(load) {}

  // `number` names the victim and makes it differ from others in when it dies.
  Victim Kill(Stage stage, Death death, int number);

  // Timesteps begin .. end - 1 of the victim's series for its session.
  v1::PredictRequest Piece(const Victim& victim, int64_t begin, int64_t end) const;
  // -1: no such session.
  int64_t PositionOf(const std::string& session_id);

 private:
  void KillWhileRunning(DoomedClient* client, Victim* victim);
  void KillInHalfMessage(DoomedClient* client, const Victim& victim, int number);
  void KillInUnary(DoomedClient* client, Victim* victim);
  void KillBehindItself(DoomedClient* client, Victim* victim);
  void KillBehindAnother(DoomedClient* client, Victim* victim);
  void KillInFrontOfAnother(DoomedClient* client, Victim* victim);
  void KillInPipeline(DoomedClient* client, int64_t piece, bool until_reply_waits, Victim* victim);
  void KillInForecast(DoomedClient* client, Victim* victim);
  void ExpireInUnary(int number, Victim* victim);

  // One whole message over the healthy connection.
  void Run(const Victim& victim, int64_t begin, int64_t end);
  // Some time, for the server to come further with what it was sent.
  void WaitALittle(const Victim& victim);

  TestServer* const server_;
  const KnownSeries* const series_;
  const HealthyLoad* const load_;
};

}  // namespace rondo

#endif  // RONDO_TESTS_INTEGRATION_CLIENT_KILLER_H_
