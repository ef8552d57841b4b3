#include "client/load/report.h"

#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace rondo::load {
namespace {

using Json = nlohmann::ordered_json;

double Ratio(double rondo, double baseline) {
  return baseline > 0 ? rondo / baseline : std::numeric_limits<double>::quiet_NaN();
}

const char* NameOf(Baseline baseline) { return baseline == Baseline::kNative ? "native" : "echo"; }

const char* NameOf(Protocol protocol) { return protocol == Protocol::kNative ? "native" : "open_inference"; }

// "12,345"
std::string Thousands(double value) {
  std::string digits = absl::StrFormat("%.0f", value);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) digits.insert(static_cast<size_t>(i), ",");
  return digits;
}

// "-": nothing was measured.
std::string Latency(const Measurement& measurement, double seconds) {
  if (measurement.latency.count() == 0) return "-";
  if (seconds < 1e-3) return absl::StrFormat("%.1f us", seconds * 1e6);
  if (seconds < 1) return absl::StrFormat("%.2f ms", seconds * 1e3);
  return absl::StrFormat("%.2f s", seconds);
}

std::string Row(const std::string& name, const std::string& rondo, const std::string& baseline, double ratio) {
  std::string row = absl::StrFormat("%-12s %14s", name, rondo);
  if (!baseline.empty()) absl::StrAppendFormat(&row, " %14s", baseline);
  if (std::isfinite(ratio)) absl::StrAppendFormat(&row, " %8.2f", ratio);
  return row + "\n";
}

std::string CountText(const Measurement&, double count) { return Thousands(count); }

// A line of the table: a number of each server, as `text` writes it, and their ratio.
std::string ComparisonRow(const std::string& name, const RunReport& report,
                          const std::function<double(const Measurement&)>& number,
                          std::string (*text)(const Measurement&, double)) {
  const double rondo = number(report.rondo);
  if (!report.baseline.has_value()) return Row(name, text(report.rondo, rondo), "", NAN);
  const double baseline = number(*report.baseline);
  return Row(name, text(report.rondo, rondo), text(*report.baseline, baseline), Ratio(rondo, baseline));
}

struct NamedQuantile {
  const char* name;
  const char* json_name;
  double quantile;
};
constexpr NamedQuantile kQuantiles[] = {{"p50", "p50_seconds", 0.5},
                                        {"p90", "p90_seconds", 0.9},
                                        {"p99", "p99_seconds", 0.99},
                                        {"p99.9", "p999_seconds", 0.999}};

// "1 stream", "2 streams"
std::string Counted(int count, const char* noun) { return absl::StrCat(count, " ", noun, count == 1 ? "" : "s"); }

std::string Heading(const RunReport& report) {
  const LoadOptions& options = report.options;
  const v1::Model& model = report.model;
  std::string text = absl::StrFormat("model %s version %d: %s, %d x %d, %d in, %d out, %s\n", model.name(),
                                     model.version(), model.cell(), model.num_layers(), model.hidden_size(),
                                     model.input_size(), model.output_size(), model.kernel());
  const std::string loop =
      options.open_loop.rate > 0
          ? absl::StrFormat("open loop at %g messages/s (%s)", options.open_loop.rate,
                            options.open_loop.arrivals == Arrivals::kPoisson ? "poisson" : "constant")
          : std::string("closed loop");
  if (options.protocol == Protocol::kOpenInference) absl::StrAppend(&text, "open_inference, ");
  absl::StrAppend(&text, Counted(options.streams, options.unary ? "unary client" : "stream"), ", ", loop, ", ",
                  options.in_flight, " in flight each; a message: ",
                  Counted(options.sessions_per_message, options.stateless ? "stateless sequence" : "session"), ", ",
                  Counted(options.timesteps, "timestep"), " each\n");
  absl::StrAppend(&text, absl::FormatDuration(options.duration), " measured in ", Counted(options.rounds, "round"),
                  ", each after a warm-up of ", absl::FormatDuration(options.warmup),
                  report.interrupted ? "; INTERRUPTED" : "", "\n\n");
  return text;
}

std::string CreationLine(const RunReport& report) {
  if (!report.creation.has_value()) return "";
  const Measurement& creation = *report.creation;
  return absl::StrCat(Thousands(static_cast<double>(report.options.session_pool)), " sessions created before, ",
                      Thousands(creation.StepsPerSecond()), "/s, p99 ",
                      Latency(creation, creation.latency.QuantileSeconds(0.99)), "\n\n");
}

std::string ErrorLines(const std::string& who, const Measurement& measurement) {
  std::string text;
  for (const auto& [code, count] : measurement.errors) {
    absl::StrAppend(&text, who, " errors, ", code, ": ", Thousands(static_cast<double>(count)), "\n");
  }
  if (!text.empty()) absl::StrAppend(&text, "  the first: ", measurement.first_error, "\n");
  return text;
}

Json MeasurementJson(const Measurement& measurement) {
  Json json{{"messages_per_second", measurement.MessagesPerSecond()},
            {"steps_per_second", measurement.StepsPerSecond()}};
  for (const NamedQuantile& row : kQuantiles) json[row.json_name] = measurement.latency.QuantileSeconds(row.quantile);
  json["max_seconds"] = measurement.latency.MaxSeconds();
  json["messages"] = measurement.messages;
  json["errors"] = measurement.total_errors();
  json["errors_by_code"] = measurement.errors.empty() ? Json::object() : Json(measurement.errors);
  return json;
}

Json SettingsJson(const LoadOptions& options) {
  return Json{
      {"protocol", NameOf(options.protocol)},
      {"streams", options.streams},
      {"sessions_per_message", options.sessions_per_message},
      {"timesteps", options.timesteps},
      {"rate", options.open_loop.rate},
      {"arrivals", options.open_loop.arrivals == Arrivals::kPoisson ? "poisson" : "constant"},
      {"in_flight", options.in_flight},
      {"duration_seconds", absl::ToDoubleSeconds(options.duration)},
      {"warmup_seconds", absl::ToDoubleSeconds(options.warmup)},
      {"rounds", options.rounds},
      {"stateless", options.stateless},
      {"unary", options.unary},
      {"session_pool", options.session_pool},
      {"keep_sessions", options.keep_sessions},
      {"threads", options.threads},
      {"connections", options.connections},
  };
}

}  // namespace

std::string ReportText(const RunReport& report) {
  std::string text = Heading(report) + CreationLine(report);
  absl::StrAppendFormat(&text, "%-12s %14s", "", "rondo");
  if (report.baseline.has_value()) absl::StrAppendFormat(&text, " %14s %8s", NameOf(report.options.baseline), "ratio");
  absl::StrAppend(&text, "\n",
                  ComparisonRow("messages/s", report, std::mem_fn(&Measurement::MessagesPerSecond), CountText),
                  ComparisonRow("steps/s", report, std::mem_fn(&Measurement::StepsPerSecond), CountText));
  for (const NamedQuantile& row : kQuantiles) {
    const auto quantile = [&row](const Measurement& measured) {
      return measured.latency.QuantileSeconds(row.quantile);
    };
    absl::StrAppend(&text, ComparisonRow(row.name, report, quantile, Latency));
  }
  const auto longest = [](const Measurement& measured) { return measured.latency.MaxSeconds(); };
  absl::StrAppend(&text, ComparisonRow("max", report, longest, Latency));
  const std::string baseline_errors =
      report.baseline.has_value() ? Thousands(static_cast<double>(report.baseline->total_errors())) : "";
  absl::StrAppend(&text,
                  Row("errors", Thousands(static_cast<double>(report.rondo.total_errors())), baseline_errors, NAN));
  absl::StrAppend(&text, ErrorLines("rondo", report.rondo));
  if (report.creation.has_value()) absl::StrAppend(&text, ErrorLines("creation", *report.creation));
  if (report.baseline.has_value())
    absl::StrAppend(&text, ErrorLines(NameOf(report.options.baseline), *report.baseline));
  return text;
}

std::string ReportJson(const RunReport& report) {
  Json json = MeasurementJson(report.rondo);
  if (report.baseline.has_value()) {
    const Measurement& rondo = report.rondo;
    const Measurement& baseline = *report.baseline;
    json[NameOf(report.options.baseline)] = MeasurementJson(baseline);
    json["ratio"] = Json{
        {"throughput", Ratio(rondo.MessagesPerSecond(), baseline.MessagesPerSecond())},
        {"p50", Ratio(rondo.latency.QuantileSeconds(0.5), baseline.latency.QuantileSeconds(0.5))},
        {"p99", Ratio(rondo.latency.QuantileSeconds(0.99), baseline.latency.QuantileSeconds(0.99))},
    };
  }
  if (report.creation.has_value()) {
    json["creation"] = MeasurementJson(*report.creation);
    json["creation"]["seconds"] = static_cast<double>(report.creation->elapsed_nanos) / 1e9;
  }
  json["rounds"] = Json::array();
  for (const MeasuredRound& round : report.rounds) {
    Json one = MeasurementJson(round.measurement);
    one["from_unix_seconds"] = absl::ToDoubleSeconds(round.from - absl::UnixEpoch());
    json["rounds"].push_back(std::move(one));
  }
  json["settings"] = SettingsJson(report.options);
  json["model"] = Json{{"name", report.model.name()},
                       {"version", report.model.version()},
                       {"cell", report.model.cell()},
                       {"num_layers", report.model.num_layers()},
                       {"hidden_size", report.model.hidden_size()},
                       {"input_size", report.model.input_size()},
                       {"output_size", report.model.output_size()},
                       {"kernel", report.model.kernel()}};
  json["interrupted"] = report.interrupted;
  // Text of a server is shown as it is, unless it is not UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rondo::load
