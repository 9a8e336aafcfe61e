// SPDX-License-Identifier: Apache-2.0

// EventLog and Ima.

#include "support.h"

namespace binding {
namespace {

template <typename Parse>
EventLog parse_log(Parse parse, const py::object& data, const py::object& bank) {
  const attest_hash hash = bank.is_none() ? ATTEST_HASH_NONE : number<attest_hash>("Hash", bank);
  const Input in(data);
  attest_eventlog* out = nullptr;
  run([&] { return parse(&out, in.data(), in.size(), hash); });
  return EventLog(out);
}

EventLog parse_eventlog(const py::object& data, const py::object& bank) {
  return parse_log(attest_eventlog_parse, data, bank);
}

EventLog parse_launch(const py::object& data, const py::object& bank) {
  return parse_log(attest_eventlog_parse_launch, data, bank);
}

py::dict digests(const EventLog& log, std::size_t index, const py::object& hashes) {
  py::dict banks;
  for (const py::handle member : hashes) {
    const auto hash = static_cast<attest_hash>(member.cast<int>());
    std::size_t digest_len = 0;
    const std::uint8_t* digest = attest_eventlog_digest(log.get(), index, hash, &digest_len);
    if (digest != nullptr) {
      banks[py::str(attest_hash_name(hash))] = bytes_or_none(digest, digest_len);
    }
  }
  return banks;
}

py::list events(const EventLog& log) {
  const py::object event = type("Event");
  const py::object coverage = type("Coverage");
  const py::object hashes = type("Hash");
  py::list list;
  for (std::size_t i = 0; i < attest_eventlog_num_events(log.get()); ++i) {
    attest_event out = ATTEST_EVENT_INIT;
    check(attest_eventlog_event(&out, log.get(), i));
    list.append(event(i, out.offset, out.pcr, out.type, text(out.type_name),
                      digests(log, i, hashes),
                      py::bytes(reinterpret_cast<const char*>(out.data), out.data_len),
                      coverage(static_cast<int>(out.coverage))));
  }
  return list;
}

py::dict eventlog_pcrs(const EventLog& log) {
  attest_pcrs* out = nullptr;
  check(attest_eventlog_pcrs(&out, log.get()));
  return take_pcrs(out);
}

py::list eventlog_findings(const EventLog& log) {
  py::list list;
  for (std::size_t i = 0; i < attest_eventlog_num_findings(log.get()); ++i) {
    attest_finding out = ATTEST_FINDING_INIT;
    check(attest_eventlog_finding(&out, log.get(), i));
    list.append(finding(out));
  }
  return list;
}

py::str eventlog_to_json(const EventLog& log) {
  attest_buffer* out = nullptr;
  run([&] { return attest_eventlog_to_json(&out, log.get()); });
  return take_text(out);
}

Ima new_ima(const py::object& bank, const py::object& list_bank, const py::object& format,
            const py::object& digest) {
  attest_ima_options options = ATTEST_IMA_OPTIONS_INIT;
  options.bank = number<attest_hash>("Hash", bank);
  if (!list_bank.is_none()) options.list_bank = number<attest_hash>("Hash", list_bank);
  if (!format.is_none()) options.format = number<attest_ima_format>("ImaFormat", format);
  options.digest = number<attest_ima_digest>("ImaDigest", digest);
  attest_ima* out = nullptr;
  check(attest_ima_new(&out, &options));
  return Ima(out);
}

void feed(Ima& ima, const py::object& data) {
  const Changing changing(ima.use);
  const Input in(data);
  run([&] { return attest_ima_feed(ima.get(), in.data(), in.size()); });
}

void finish(Ima& ima) {
  const Changing changing(ima.use);
  run([&] { return attest_ima_finish(ima.get()); });
}

py::dict ima_pcrs(Ima& ima) {
  const Reading reading(ima.use);
  attest_pcrs* out = nullptr;
  check(attest_ima_pcrs(&out, ima.get()));
  return take_pcrs(out);
}

py::list ima_findings(Ima& ima) {
  const Reading reading(ima.use);
  py::list list;
  for (std::size_t i = 0; i < attest_ima_num_findings(ima.get()); ++i) {
    attest_finding out = ATTEST_FINDING_INIT;
    check(attest_ima_finding(&out, ima.get(), i));
    list.append(finding(out));
  }
  return list;
}

py::str ima_to_json(Ima& ima) {
  const Reading reading(ima.use);
  attest_buffer* out = nullptr;
  run([&] { return attest_ima_to_json(&out, ima.get()); });
  return take_text(out);
}

}  // namespace

void bind_logs(py::module_& m) {
  py::class_<EventLog>(m, "EventLog",
                       "A boot event log, parsed and replayed: the node's own story.")
      .def_static("parse", &parse_eventlog, py::arg("data"), py::arg("bank") = py::none(),
                  "Parses a TCG event log; its data is checked against the digests of `bank`.")
      .def_static("parse_launch", &parse_launch, py::arg("data"), py::arg("bank") = py::none(),
                  "The same for the log of a dynamic launch, whose events are of PCRs 17 to 22.")
      .def_property_readonly(
          "format",
          [](const EventLog& log) {
            return type("EventLogFormat")(static_cast<int>(attest_eventlog_get_format(log.get())));
          })
      .def_property_readonly("events", &events)
      .def_property_readonly("pcrs", &eventlog_pcrs)
      .def_property_readonly("findings", &eventlog_findings)
      .def("to_json", &eventlog_to_json, "The log, its PCR values and findings as JSON text.");

  py::class_<Ima>(m, "Ima", "A replay of an IMA measurement list, fed in chunks of any size.")
      .def(py::init(&new_ima), py::arg("bank") = "sha256", py::arg("list_bank") = py::none(),
           py::arg("format") = py::none(), py::arg("digest") = "native")
      .def("feed", &feed, py::arg("data"), "Takes the next bytes of the list.")
      .def("finish", &finish, "Ends the list.")
      .def_property_readonly("entries",
                             [](Ima& ima) {
                               const Reading reading(ima.use);
                               return attest_ima_num_entries(ima.get());
                             })
      .def_property_readonly("violations",
                             [](Ima& ima) {
                               const Reading reading(ima.use);
                               return attest_ima_num_violations(ima.get());
                             })
      .def_property_readonly("pcrs", &ima_pcrs)
      .def_property_readonly("findings", &ima_findings)
      .def("to_json", &ima_to_json, "What was replayed so far as JSON text.");
}

}  // namespace binding
