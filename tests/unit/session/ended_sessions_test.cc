#include "server/session/ended_sessions.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rondo {
namespace {

const SessionEnd kDeleted{SessionEnd::Cause::kDeleted, absl::ZeroDuration()};

TEST(SessionTableEndedTest, TheOldestIsForgottenFirst) {
  EndedSessions ended(3);
  for (int i = 0; i < 5; ++i) ended.Record(absl::StrCat("s", i), kDeleted);
  EXPECT_EQ(ended.Explain("s1").message(), "no session 's1'");
  for (int i = 2; i < 5; ++i)
    EXPECT_EQ(ended.Explain(absl::StrCat("s", i)), EndedError(absl::StrCat("s", i), kDeleted));
}

TEST(SessionTableEndedTest, AnIdThatEndsAgainHasItsNewestCauseUntilThatIsTheOldest) {
  EndedSessions ended(3);
  ended.Record("again", kDeleted);
  ended.Record("b", kDeleted);
  ended.Record("again", {SessionEnd::Cause::kIdle, absl::Seconds(90)});
  ended.Record("c", kDeleted);  // overwrites the first "again"
  EXPECT_EQ(ended.Explain("again").message(), "session 'again' ended: idle for 90 s");
  ended.Record("d", kDeleted);
  ended.Record("e", kDeleted);
  EXPECT_EQ(ended.Explain("again").message(), "no session 'again'");
}

TEST(SessionTableEndedTest, NoneIsRememberedWithoutRoom) {
  EndedSessions ended(0);
  ended.Record("s", kDeleted);
  EXPECT_EQ(ended.Explain("s").message(), "no session 's'");
}

TEST(SessionTableEndedTest, AShortIdleTimeIsNotRoundedToNothing) {
  EXPECT_EQ(EndedError("s", {SessionEnd::Cause::kIdle, absl::Milliseconds(250)}).message(),
            "session 's' ended: idle for 250 ms");
}

}  // namespace
}  // namespace rondo
