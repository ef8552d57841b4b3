// Sends three days of weather to a live session, one by one, and prints what the model expects for the day after each.
#include <cstdio>
#include <string>
#include <vector>

#include "client/client.h"

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}

int main() {
  const absl::StatusOr<rondo::Client> client = rondo::Client::Connect("127.0.0.1:8001");
  if (!client.ok()) return Fail(client.status());
  absl::StatusOr<rondo::Session> seattle = client->OpenSession("seattle", "my-town");
  if (!seattle.ok()) return Fail(seattle.status());

  // temp_max, temp_min, precipitation, wind, as `rondo models` lists them.
  const std::vector<std::vector<float>> days = {{5.6f, -3.2f, 0, 1.2f}, {5.6f, 0, 1.5f, 3}, {5, 1.7f, 0, 2.9f}};
  int64_t time = 1420070400;  // 2015-01-01
  for (const std::vector<float>& day : days) {
    const absl::StatusOr<std::vector<float>> tomorrow = seattle->Step(day, time);
    if (!tomorrow.ok()) return Fail(tomorrow.status());
    std::printf("day %d: tomorrow's maximum %.1f\n", static_cast<int>(seattle->position()), tomorrow->front());
    time += 86400;
  }
}
