// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace freeatm::runtime {

/// Where ranks of this machine meet, kept by the process that starts them: none of them needs a port that is free, or
/// outlives the others.
class MeetingPlace {
 public:
  static constexpr const char* kHost = "127.0.0.1";
  MeetingPlace();
  ~MeetingPlace();
  MeetingPlace(const MeetingPlace&) = delete;
  MeetingPlace& operator=(const MeetingPlace&) = delete;

  uint16_t port() const;
  /// Whether no rank has failed before.
  bool tell_failure(const std::string& why);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace freeatm::runtime
