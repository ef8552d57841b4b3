// Sends three days of weather to a live session, one by one, and prints what the model expects for the day after each.
#include <iostream>
#include <vector>

#include "client/client.h"

int main() {
  const absl::StatusOr<rondo::Client> client = rondo::Client::Connect("127.0.0.1:8001");
  if (!client.ok()) {
    std::cerr << client.status() << "\n";
    return 1;
  }
  absl::StatusOr<rondo::Session> seattle = client->OpenSession("weather", "seattle");
  if (!seattle.ok()) {
    std::cerr << seattle.status() << "\n";
    return 1;
  }
  int64_t time = 1420070400;  // 2015-01-01
  for (const std::vector<float>& day : {std::vector<float>{0.0f, 5.6f}, {1.5f, 5.6f}, {0.0f, 1.7f}}) {
    const absl::StatusOr<std::vector<float>> tomorrow = seattle->Step(day, time);
    if (!tomorrow.ok()) {
      std::cerr << tomorrow.status() << "\n";
      return 1;
    }
    std::cout << "day " << seattle->position() << ": " << tomorrow->front() << "\n";
    time += 86400;
  }
}
