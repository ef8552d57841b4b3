#include "client/cli/commands.h"

#include <utility>

namespace rondo {
namespace {

const FlagSpec kSession = {"session", "ID", "the live session; an unknown one starts at position 0"};
const FlagSpec kTime = {"time", "COLUMN", "the column with each row's time; default: time, date or timestamp"};

FlagSpec Required(FlagSpec flag) {
  flag.required = true;
  return flag;
}

constexpr absl::string_view kPredictHelp =
    R"(Without --session every run starts from a zero state, and nothing is kept on the server. With it the session goes
on where it stood. Tables of any length are sent piece by piece; if a row in the middle is refused, the pieces before
it have run, and the error says how far the session came.

CSV with a header row goes in and comes out. Columns are found by the model's input names; others are ignored. A
token model takes a column 'token', or a table of one column. Times are dates (2015-01-31, 2015/01/31, 20150131,
Jan 31 2015), months (2015-01) or years, dates with a time of day (2015-01-31 13:45, UTC without an offset), or seconds,
milli-, micro- or nanoseconds since 1970. Row 1 is the first one after the header. Each row in is a row out; a time column
comes out first.

examples:
  rondo predict seattle --input=seattle-weather.csv > predictions.csv
  rondo predict seattle --input=- --session=my-town --time=day < today.csv
)";

constexpr absl::string_view kStreamHelp =
    R"(Reads CSV rows from stdin and answers each one at once. The table is as in 'rondo predict --help'. A step that
meets a broken connection is sent again, and never runs twice: until --timeout, or with --retry for as long as it takes.
Then a server may restart, or hand its sessions to another one of the list, and each row is still answered once, in order.

examples:
  ./read-sensor | rondo stream machine --session=pump-7 --retry
  tail -n +1 -f measured.csv | rondo stream seattle --session=my-town | ./act
)";

constexpr absl::string_view kForecastHelp =
    R"(Feeds the model's outputs back as its inputs, from where the session stands; the session does not move. Row k of
the answer is the k-th step after the session's last one. --known is a CSV table with a row for each of the steps
1 to N-1: the inputs that the model does not feed back, and a time column if there is one. More rows are ignored.

examples:
  rondo forecast seattle --session=my-town --horizon=7
  rondo forecast load --session=grid --horizon=24 --known=tomorrow.csv
)";

constexpr absl::string_view kExportHelp =
    R"(The session stays live. The state has a checksum and names its model; it is neither encrypted nor signed. A file
is replaced only when the whole new state is on disk.

examples:
  rondo sessions export my-town --output=my-town.state
  rondo sessions export my-town --output=- | rondo --server=other:8001 sessions import -
)";

constexpr absl::string_view kImportHelp =
    R"(The server must have the model that computed the state, with the same weights. The session goes on exactly where the
exported one stood.

examples:
  rondo sessions import my-town.state
  rondo sessions import my-town.state --session=my-town-yesterday
)";

constexpr absl::string_view kForkHelp =
    R"(For what-ifs: feed the copy what might happen, and the session what does.

examples:
  rondo sessions fork my-town --as=if-it-rains
)";

ProgramSpec MakeProgram() {
  ProgramSpec program;
  program.name = "rondo";
  program.summary = "predictions of recurrent networks, from a Rondo server.";
  program.flags = {
      {"server", "HOST:PORT", "or IP:PORT,IP:PORT,...; default: the environment's RONDO_SERVER, else 127.0.0.1:8001"},
      {"timeout", "DURATION", "longest wait for one answer, retries included, e.g. 500ms; default: 10s"},
  };
  program.commands = {
      {"models", {}, {}, "What the server has loaded, as CSV.", "example:\n  rondo models | column -s, -t\n"},
      {"predict",
       {"MODEL"},
       {{"input", "FILE|-", "the table; '-' is stdin", true}, kSession, kTime},
       "A prediction for each row of a table.",
       kPredictHelp},
      {"stream",
       {"MODEL"},
       {Required(kSession), kTime, {"retry", "", "wait for a server that does not answer", false, FlagKind::kSwitch}},
       "A row in on stdin, a prediction out, at once.",
       kStreamHelp},
      {"forecast",
       {"MODEL"},
       {{"session", "ID", "the live session, after at least one step", true},
        {"horizon", "N", "steps ahead", true, FlagKind::kCount},
        {"known", "FILE|-", "what is known of the steps ahead; '-' is stdin"},
        {"paths", "N", "gaussian heads: sample N paths, print their 0.1, 0.5 and 0.9 quantiles", false,
         FlagKind::kCount},
        kTime},
       "The next N steps of a session.",
       kForecastHelp},
      {"sessions list",
       {},
       {{"model", "NAME", "only this model's"}},
       "The live sessions, as CSV.",
       "With a session store: those in this server's memory. 'sessions show ID' finds one that is in the store "
       "only.\n\n"
       "example:\n  rondo sessions list --model=seattle\n"},
      {"sessions show", {"ID"}, {}, "One session, as CSV.", "example:\n  rondo sessions show my-town\n"},
      {"sessions delete", {"ID"}, {}, "End a session.", "example:\n  rondo sessions delete my-town\n"},
      {"sessions export",
       {"ID"},
       {{"output", "FILE|-", "where the state goes; a file is replaced; '-' is stdout", true}},
       "A session's state as bytes.",
       kExportHelp},
      {"sessions import",
       {"FILE|-"},
       {{"session", "ID", "the new session's id; default: the one it was exported under"}},
       "A new session that goes on from an exported state; printed as CSV.",
       kImportHelp},
      {"sessions fork",
       {"ID"},
       {{"as", "NEW_ID", "the copy's id; default: one of the server's"}},
       "A copy of a session that goes on independently; printed as CSV.",
       kForkHelp},
  };
  program.notes =
      "'rondo COMMAND --help' shows a command's flags and examples.\n"
      "Exit code: 0 done, 1 the server or the input was refused or failed (why is on stderr), 2 wrong usage.\n";
  return program;
}

}  // namespace

const ProgramSpec& RondoProgram() {
  static const auto* const program = new ProgramSpec(MakeProgram());
  return *program;
}

absl::Status RunCommand(const CommandContext& context) {
  using Run = absl::Status (*)(const CommandContext&);
  static constexpr std::pair<absl::string_view, Run> kRuns[] = {
      {"models", RunModels},
      {"predict", RunPredict},
      {"stream", RunStream},
      {"forecast", RunForecast},
      {"sessions list", RunSessionsList},
      {"sessions show", RunSessionsShow},
      {"sessions delete", RunSessionsDelete},
      {"sessions export", RunSessionsExport},
      {"sessions import", RunSessionsImport},
      {"sessions fork", RunSessionsFork},
  };
  for (const auto& [name, run] : kRuns) {
    if (context.invocation.command->name == name) return run(context);
  }
  return absl::UnimplementedError("no such command");
}

}  // namespace rondo
