#include "model/convert/export/served_export.h"

#include <algorithm>
#include <utility>

#include "model/convert/graph/metadata_keys.h"
#include "model/output_head.h"

namespace rondo::convert {
namespace {

constexpr double kTwoPi = 6.283185307179586;
constexpr int64_t kSecondsPerDay = 86400;

// The nodes of a formula, by operator.
class Formula {
 public:
  explicit Formula(OnnxBuilder* out) : out_(*out) {}

  std::string Of(absl::string_view op, const std::string& a, const std::string& b) { return out_.Add(op, {a, b}); }
  std::string Whole(int64_t value) { return out_.Wholes({value}); }
  std::string Number(double value) { return out_.Doubles({{1}, {value}}); }
  std::string Cast(const std::string& value, int64_t type) { return out_.Add("Cast", {value}, {{"to", type}}); }
  std::string Add(const std::string& a, const std::string& b) { return Of("Add", a, b); }
  std::string Sub(const std::string& a, const std::string& b) { return Of("Sub", a, b); }
  // ONNX's Mod of whole numbers has the divisor's sign, so that it is never negative here; Div cuts towards 0, and is
  // asked about numbers that are not negative, or divides without rest.
  std::string Mod(const std::string& a, int64_t b) { return Of("Mod", a, Whole(b)); }
  std::string Div(const std::string& a, int64_t b) { return Of("Div", a, Whole(b)); }
  // 1 where it is so, else 0.
  std::string IsAtLeast(const std::string& a, int64_t b) { return Cast(Of("GreaterOrEqual", a, Whole(b)), 7); }

 private:
  OnnxBuilder& out_;
};

struct YearDay {
  std::string day, length;
};

// As CalendarFraction counts: years that begin in March, in eras of 400.
YearDay AddYearDay(Formula& f, const std::string& days) {
  const std::string day_of_era = f.Mod(f.Add(days, f.Whole(719468)), 146097);
  const std::string leap_days =
      f.Sub(f.Add(f.Div(day_of_era, 1460), f.Div(day_of_era, 146096)), f.Div(day_of_era, 36524));
  const std::string year_of_era = f.Div(f.Sub(day_of_era, leap_days), 365);
  const std::string before =
      f.Add(f.Of("Mul", year_of_era, f.Whole(365)), f.Sub(f.Div(year_of_era, 4), f.Div(year_of_era, 100)));
  const std::string since_march = f.Sub(day_of_era, before);
  const std::string next_year = f.IsAtLeast(since_march, 306);
  const std::string year = f.Add(year_of_era, next_year);
  const auto divides = [&](int64_t by) { return f.Sub(f.Whole(1), f.IsAtLeast(f.Mod(year, by), 1)); };
  const std::string leap = f.Add(f.Sub(divides(4), divides(100)), divides(400));
  // January and February have 59 days, or 60; what is past them counts from the last March.
  const std::string january = f.Sub(since_march, f.Whole(306));
  const std::string march = f.Add(since_march, f.Add(f.Whole(59), leap));
  const std::string later = f.Of("Mul", f.Sub(march, january), f.Sub(f.Whole(1), next_year));
  return {f.Add(january, later), f.Add(leap, f.Whole(365))};
}

// The time since the start of its period as a fraction of it, [timesteps, 1].
std::string AddFraction(Formula& f, Calendar calendar, const std::string& times) {
  const std::string second = f.Mod(times, kSecondsPerDay);
  const std::string days = f.Div(f.Sub(times, second), kSecondsPerDay);
  const std::string of_day = f.Of("Div", f.Cast(second, kDouble), f.Number(kSecondsPerDay));
  if (calendar == Calendar::kHour) return of_day;
  if (calendar == Calendar::kWeekday) {
    const std::string weekday = f.Mod(f.Add(days, f.Whole(3)), 7);
    return f.Of("Div", f.Add(f.Cast(weekday, kDouble), of_day), f.Number(7));
  }
  const YearDay at = AddYearDay(f, days);
  return f.Of("Div", f.Add(f.Cast(at.day, kDouble), of_day), f.Cast(at.length, kDouble));
}

// A sine and a cosine of each entry, [timesteps, 1] each.
Names AddCalendar(const ModelSpec& spec, OnnxBuilder* out) {
  if (spec.calendar.empty()) return {};
  const std::string input = spec.table.time_zone.empty() ? "times" : "local_times";
  out->AddInput(input, true, {-1});
  const std::string times = out->Add("Unsqueeze", {input, out->Wholes({1})});
  Formula f(out);
  Names features;
  for (const Calendar calendar : spec.calendar) {
    const std::string angle = f.Of("Mul", AddFraction(f, calendar, times), f.Number(kTwoPi));
    // A cosine is the sine a quarter of the period later; onnxruntime has only that in float64.
    for (const double later : {0.0, kTwoPi / 4}) {
      features.push_back(f.Cast(out->Add("Sin", {f.Add(angle, f.Number(later))}), kFloat));
    }
  }
  return features;
}

// (X - mean) / std, in float64 as the server does.
std::string AddStandardised(const ModelSpec& spec, OnnxBuilder* out) {
  const int64_t count = static_cast<int64_t>(spec.inputs.size());
  Array means = Filled({count}, 0), factors = Filled({count}, 1);
  bool plain = true;
  for (int64_t i = 0; i < count; ++i) {
    const InputFeature& input = spec.inputs[i];
    means.values[i] = input.mean;
    factors.values[i] = 1 / input.std;
    plain = plain && input.mean == 0 && input.std == 1;
  }
  if (plain) return "X";
  Formula f(out);
  const std::string centred = f.Sub(f.Cast("X", kDouble), out->Doubles(means));
  return f.Cast(f.Of("Mul", centred, out->Doubles(factors)), kFloat);
}

// The inputs that outputs are added to, [timesteps, 1, outputs, 1] in float64; empty: there are none.
std::string AddAddedInputs(const ModelSpec& spec, OnnxBuilder* out) {
  const int64_t count = static_cast<int64_t>(spec.outputs.size());
  Sizes columns(count, 0);
  Array counts = Filled({count}, 0);
  for (int64_t i = 0; i < count; ++i) {
    const auto input = std::find_if(spec.inputs.begin(), spec.inputs.end(), [&](const InputFeature& each) {
      return !spec.outputs[i].added_to.empty() && each.name == spec.outputs[i].added_to;
    });
    if (input == spec.inputs.end()) continue;
    columns[i] = input - spec.inputs.begin();
    counts.values[i] = 1;
  }
  if (std::all_of(counts.values.begin(), counts.values.end(), [](double each) { return each == 0; })) return "";
  Formula f(out);
  const std::string values = f.Cast(out->Add("Gather", {"X", out->Wholes(columns)}, {{"axis", int64_t{1}}}), kDouble);
  return out->Add("Reshape", {f.Of("Mul", values, out->Doubles(counts)), out->Wholes({0, 1, count, 1})});
}

// y * std + mean, plus the input that the output is added to; y is [timesteps, horizon, outputs, values].
std::string AddRawUnits(const ModelSpec& spec, const std::string& y, OnnxBuilder* out) {
  const int64_t count = static_cast<int64_t>(spec.outputs.size());
  Array stds = Filled({count, 1}, 1), means = Filled({count, 1}, 0);
  bool plain = true;
  for (int64_t i = 0; i < count; ++i) {
    stds.values[i] = spec.outputs[i].std;
    means.values[i] = spec.outputs[i].mean;
    plain = plain && stds.values[i] == 1 && means.values[i] == 0;
  }
  const std::string added = AddAddedInputs(spec, out);
  if (plain && added.empty()) return y;
  Formula f(out);
  std::string raw = f.Add(f.Of("Mul", f.Cast(y, kDouble), out->Doubles(stds)), out->Doubles(means));
  if (!added.empty()) raw = f.Add(raw, added);
  return f.Cast(raw, kFloat);
}

// Means as a linear head has them, and deviations (softplus(s) + the least) * std.
std::string AddGaussian(const ModelSpec& spec, const std::string& y, OnnxBuilder* out) {
  const auto part = [&](int64_t at) {
    return out->Add("Slice", {y, out->Wholes({at}), out->Wholes({at + 1}), out->Wholes({3})});
  };
  Array stds = Filled({static_cast<int64_t>(spec.outputs.size()), 1}, 1);
  for (size_t i = 0; i < spec.outputs.size(); ++i) stds.values[i] = spec.outputs[i].std;
  const std::string least = out->Floats({{1}, {OutputHead::kMinGaussianStd}});
  const std::string deviation =
      out->Add("Mul", {out->Add("Add", {out->Add("Softplus", {part(1)}), least}), out->Floats(stds)});
  return out->Add("Concat", {AddRawUnits(spec, part(0), out), deviation}, {{"axis", int64_t{3}}});
}

std::string AddSorted(const ModelSpec& spec, const std::string& y, OnnxBuilder* out) {
  return out->Add("TopK", {y, out->Wholes({static_cast<int64_t>(spec.quantiles.size())})},
                  {{"axis", int64_t{3}}, {"largest", int64_t{0}}, {"sorted", int64_t{1}}}, 2);
}

}  // namespace

ExportedValue ExportInputs(const ModelSpec& spec, OnnxBuilder* out) {
  if (spec.tokens > 0) {
    out->AddInput(kGivenName, true, {-1});
    return {"X", {1, 1}};
  }
  out->AddInput(kGivenName, false, {-1, spec.input_size()});
  Names features = {AddStandardised(spec, out)};
  for (std::string& feature : AddCalendar(spec, out)) features.push_back(std::move(feature));
  const std::string row = features.size() == 1 ? features[0] : out->Add("Concat", features, {{"axis", int64_t{1}}});
  return {out->Add("Unsqueeze", {row, out->Wholes({2})}), {spec.feature_size(), 1}};
}

std::string ExportOutputs(const ModelSpec& spec, const std::string& rows, OnnxBuilder* out) {
  if (spec.head == Head::kSigmoid) return out->Add("Sigmoid", {rows});
  const int64_t outputs = static_cast<int64_t>(spec.outputs.size());
  std::string y = out->Add("Reshape", {rows, out->Wholes({0, spec.horizon, outputs, spec.values_per_output()})});
  if (spec.head == Head::kSoftmax) {
    y = out->Add("Softmax", {y}, {{"axis", int64_t{2}}});
  } else if (spec.head == Head::kGaussian) {
    y = AddGaussian(spec, y, out);
  } else {
    y = AddRawUnits(spec, y, out);
  }
  if (spec.head == Head::kQuantile) y = AddSorted(spec, y, out);
  return out->Add("Reshape", {y, out->Wholes({0, -1})});
}

}  // namespace rondo::convert
