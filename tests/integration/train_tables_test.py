#!/usr/bin/env python3
"""Files as people have them through the real `rondo-train`, and through `rondo` by what the model says of them.

    train_tables_test.py BIN_DIR SOURCE_DIR [unittest arguments]
"""

import csv
import datetime
import gzip
import io
import math
import random
import subprocess
import unittest

from train_fixture import BIN, description_of, sine, TrainFixture


class TrainTablesTest(TrainFixture):
    def test_bad_input_is_a_clear_error_and_leaves_nothing(self):
        x = ["--target=x"]
        self.expect_refused("the file is empty", self.write(""), *x)
        self.expect_refused("the file is Parquet, which this program is not built with", self.write("PAR1\x15\x04"), *x)
        self.expect_refused("a series of 22 rows is enough", self.write("x\n1\n"), *x)
        self.expect_refused("'level' is always 7", self.write(sine(300)), "--target=level")
        self.expect_refused("row 12, column 'x' has no value", self.write("x\n" + "1\n2\n" * 5 + "NaN\n" + "1\n2\n" * 99), *x)
        self.expect_refused("no column 'y'; its columns are t, x, level", self.write(sine(300)), "--target=y")
        self.expect_refused("longer than a part", self.write(sine(300)), "--window=100", *x)
        self.expect_refused("No such file", f"--data={self.root}/absent.csv", *x)

    def test_times_are_read_for_what_they_are_or_refused_but_never_guessed(self):
        def timed(times):
            rows = "".join(f"{t},{math.sin(0.3 * i):.6f}\n" for i, t in enumerate(times))
            return [self.write("t,x\n" + rows), "--time=t", "--target=x", "--epochs=1"]

        days = [datetime.date(2015, 1, 1) + datetime.timedelta(i) for i in range(300)]
        hours = [datetime.datetime(2020, 1, 1) + datetime.timedelta(hours=i) for i in range(300)]
        for number, (step, times, *options) in enumerate((
                (86400, [f"{day:%Y%m%d}" for day in days]),
                (86400, [f"{day:%Y/%m/%d}" for day in days]),
                (86400, [f"{day:%Y%m%d}" for day in days], "--time_format=%Y%m%d"),
                (3600, [1577836800000 + 3600000 * hour for hour in range(300)]),
                (31556952, range(1700, 2000)),
                (60, [60 * minute for minute in range(300)], "--time_format=%s"),
                (3600, [1577836800000000000 + 3600000000000 * hour for hour in range(300)]),
                (3600, [f"{1577836800 + 3600 * hour}.0" for hour in range(300)]),
                (0.1, [f"2020-01-01 00:00:{tenth // 10:02}.{tenth % 10}00000" for tenth in range(300)]),
                (3600, [f"{hour:%Y-%m-%dT%H:%M}" for hour in hours]),
                (3600, [f"{hour} +01:00" for hour in hours]),
                (3600, [f"{hour} UTC" for hour in hours]),
                (3600, [f"{hour:%m/%d/%Y %I:%M:%S %p}" for hour in hours], "--time_format=%m/%d/%Y %I:%M:%S %p"),
                (86400, [f"{day:%d-%b-%y}" for day in days], "--time_format=%d-%b-%y"))):
            self.output = self.root / str(number) / "1"
            run = self.train(*timed(times), *options)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertEqual(description_of(self.output)["step_seconds"], step, times[0])
        self.output = self.root / "refused" / "1"
        self.expect_refused("row 2: '0' is not a time", *timed(range(300)))
        self.expect_refused("row 302 has the time '1420070400' (seconds since 1970) where the rows before have YYYY-MM-DD",
                            *timed([*days, 1420070400]))
        self.expect_refused("--time_format=FORMAT reads others", *timed([f"{day:%m/%d/%Y}" for day in days]))
        spring = [hour for hour in hours if hour.hour != 2]
        self.expect_refused("a step of 7200s where most are 3600s; --missing=mask puts in what is missing", *timed(spring))

    def test_what_a_file_has_wrong_is_named_with_its_place_and_remedy(self):
        draw, days = random.Random(5), [datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(80)]
        cells = [f"{10 + math.sin(0.4 * i) + draw.gauss(0, 0.1):.3f}" for i in range(80)]

        def table(change=None, at=50, delimiter=","):
            lines = [f"{day}{delimiter}{cell}" for day, cell in zip(days, cells)]
            if change is not None:
                lines[at] = change(days[at], cells[at])
            return self.write("\n".join([f"date{delimiter}y", *lines]) + "\n")

        asked = ["--time=date", "--target=y", "--network=linear"]
        for text in ("0x1F", "broken", "inf", "12%"):
            self.expect_refused(f"row 52, column 'y': '{text}' is not a finite number", table(lambda day, _: f"{day},{text}"),
                                *asked)
        for text in ("N/A", "n/a", "#N/A", "None", "?", ".", "-", "missing", "\\N", "NA", "NaN", "null", ""):
            self.expect_refused("row 52, column 'y' has no value; --missing=forward_fill", table(lambda day, _: f"{day},{text}"),
                                *asked)
        self.expect_refused("row 2, column 'y': '11,288' is not a finite number; --decimal=, or --thousands=, says",
                            table(lambda day, _: f'{day},"11,288"', at=0), *asked)
        for delimiter, name in ((";", ";"), ("\t", "tab")):
            self.expect_refused(f"--delimiter={name} may read it", table(delimiter=delimiter), *asked)
        empty = self.write("date,y,z\n" + "".join(f"{day},{cell},\n" for day, cell in zip(days, cells)))
        for options in ([], ["--missing=forward_fill"]):
            self.expect_refused("column 'z' has no value in any row; leave it out of the inputs", empty, "--inputs=y,z", *asked,
                                *options)
        self.expect_refused("row 52 has 1 fields; the header has 2", table(lambda day, _: f"{day}"), *asked)
        self.expect_refused("--duplicates=first, last or mean says", table(lambda _, cell: f"{days[49]},{cell}"), *asked)
        self.expect_refused("--sort sorts the rows", table(lambda _, cell: f"{days[10]},{cell}"), *asked)
        self.expect_refused("--missing=mask puts in what is missing",
                            self.write("date,y\n" + "".join(f"{day},{cell}\n" for i, (day, cell) in enumerate(zip(days, cells))
                                                            if i != 40)), *asked)
        (self.root / "gbk.csv").write_bytes("日期,y\n".encode("gbk"))
        self.expect_refused("row 1 is not UTF-8 text; save the file as UTF-8", f"--data={self.root}/gbk.csv", *asked)

    def test_what_is_left_out_or_looks_wrong_is_said(self):
        draw, days = random.Random(6), [datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(80)]
        cells = [f"{10 + math.sin(0.4 * i) + draw.gauss(0, 0.1):.3f}" for i in range(80)]
        late, far = ["", *cells[1:]], [*cells[:20], "-9999", "-9999", *cells[22:]]
        lines = [f"long,{day},{cell}" for day, cell in zip(days, cells)] + [f"short,{days[0]},1", f"short,{days[1]},2"]
        for number, (note, text, *options) in enumerate((
                ("the input 'c' is always 7 in the training part, and is left out",
                 "date,y,c\n" + "".join(f"{day},{cell},7\n" for day, cell in zip(days, cells)), "--inputs=y,c"),
                ("it begins at 2020-01-02T00:00:00Z, the first with a value for every column; 1 timestep is left out",
                 "date,y\n" + "".join(f"{day},{cell}\n" for day, cell in zip(days, late)), "--missing=forward_fill"),
                ("column 'y' has -9999 2 times, far from its other values; if it stands for no value, say so with "
                 "--missing_values=-9999", "date,y\n" + "".join(f"{day},{cell}\n" for day, cell in zip(days, far))),
                ("too short for a test part, with their rows: 'short' (2)", "id,date,y\n" + "\n".join(lines) + "\n",
                 "--series=id"))):
            self.output = self.root / str(number) / "1"
            run = self.train(self.write(text), "--time=date", "--target=y", "--network=linear", *options)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertIn(note, run.stderr)

    def test_files_as_people_have_them_train_and_are_served_alike(self):
        draw, days = random.Random(4), [datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(80)]
        values = [1000 + 500 * math.sin(0.4 * i) + draw.gauss(0, 20) for i in range(80)]
        texts = [f"{value:.2f}" for value in values]
        hole = texts[:40] + [None] + texts[41:]

        def table(cells=texts, times=days, header="date,y", line="{},{}"):
            return header + "\n" + "".join(line.format(t, c) + "\n" for t, c in zip(times, cells))

        def comma(text):
            return text.replace(".", ",")

        local = [datetime.datetime(2020, 10, 24, 12) + datetime.timedelta(hours=i) for i in range(79)]
        local.insert(15, local[14])  # 02:00 comes twice in the night to the 25th
        plain = table()
        kinds = {  # name: the file, options, and whether it says what `plain` says
            "plain": (plain, [], True),
            "gzip": (gzip.compress(plain.encode()), [], True),
            "utf16": (plain.encode("utf-16"), [], True),
            "bom": (plain.encode("utf-8-sig"), [], True),
            "semicolon": (plain.replace(",", ";"), ["--delimiter=;"], True),
            "tab": (plain.replace(",", "\t"), ["--delimiter=tab"], True),
            "decimal": (table(map(comma, texts), line='{},"{}"'), ["--decimal=,"], True),
            "semicolon_decimal": (table(map(comma, texts), header="date;y", line="{};{}"),
                                  ["--delimiter=;", "--decimal=,"], True),
            "thousands": (table([f"{float(text):,}" for text in texts], line='{},"{}"'), ["--thousands=,"], True),
            "pandas_index": (",date,y\n" + "".join(f"{i},{t},{c}\n" for i, (t, c) in enumerate(zip(days, texts))), [], True),
            "crlf": (plain.replace("\n", "\r\n"), [], True),
            "descending": (table(texts[::-1], days[::-1]), ["--sort"], False),
            "german": (table(times=[f"{day:%d.%m.%Y}" for day in days]), ["--time_format=%d.%m.%Y"], True),
            "milliseconds": (table(times=[1577836800000 + 86400000 * i for i in range(80)]), [], True),
            "missing": (table([cell or "N/A" for cell in hole]), ["--missing=forward_fill"], False),
            "sentinel": (table([cell or "-9999" for cell in hole]), ["--missing=mask", "--missing_values=-9999"], False),
            "duplicate": (table(texts[:40] + texts[39:], days[:40] + days[39:]), ["--duplicates=last"], False),
            "quoted": (table(header='date,"y, with comma"'), ["--target=y, with comma"], False),
            "months": (table(times=[f"{2000 + i // 12}-{1 + i % 12:02}-01" for i in range(80)]), [], False),
            "years": (table(times=range(1900, 1980)), [], False),
            "business": (table(times=[day for day in (datetime.date(2020, 1, 1) + datetime.timedelta(i) for i in range(112))
                                      if day.weekday() < 5]), [], False),
            "local": (table(times=[f"{at:%Y-%m-%d %H:%M}" for at in local]), ["--time_zone=Europe/Berlin"], False),
            "offset": (table([f"{1e9 + value:.2f}" for value in values]), [], False),
            "tiny": (table([f"{value * 1e-38:.8e}" for value in values]), [], False),
            "boolean": (table([f"{text},{str(i % 3 == 0).upper()}" for i, text in enumerate(texts)], header="date,y,promo"),
                        ["--inputs=y,promo"], False)}
        for name, (content, options, _) in kinds.items():
            path = self.root / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            self.output = self.root / "models" / name / "1"
            run = self.train(f"--data={path}", "--time=date", "--calendar=weekday,day_of_year", "--epochs=1",
                             *([] if name == "quoted" else ["--target=y"]), *options)
            self.assertEqual(run.returncode, 0, f"{name}: {run.stderr}")
        steps = {name: description_of(self.root / "models" / name / "1")["table"]["step"] for name in kinds}
        self.assertEqual({name: step for name, step in steps.items() if step != "86400s"},
                         {"months": "1 month", "years": "12 month", "business": "1 business day", "local": "3600s"})
        rondo, expected = self.serve(), None
        for name, (_, _, is_plain) in kinds.items():
            if name in ("descending", "duplicate"):
                continue  # a session takes rows in their order
            answer = rondo("predict", name, f"--input={self.root / name}", f"--session={name}")
            self.assertEqual(len(answer), 80, name)
            if name == "plain":
                expected = answer
            if is_plain:
                self.assertEqual(answer, expected, name)
            target = "y, with comma" if name == "quoted" else "y"
            scale, offset = {"tiny": (1e-38, 0), "offset": (1, 1e9)}.get(name, (1, 0))
            for row, now in zip(answer, values):  # an epoch in, the forecast is near the value now
                self.assertLess(abs(row[target] / scale - offset / scale - now), 600, name)
        for name, ahead in (("months", ["2006-09-01T00:00:00Z", "2006-10-01T00:00:00Z"]),
                            ("business", ["2020-04-22T00:00:00Z", "2020-04-23T00:00:00Z"]),
                            ("local", ["2020-10-27T19:00:00+01:00", "2020-10-27T20:00:00+01:00"])):
            answer = subprocess.run([BIN / "rondo", f"--server={rondo.address}", "forecast", name, f"--session={name}",
                                     "--horizon=2"], capture_output=True, text=True, timeout=60)
            self.assertEqual([row["date"] for row in csv.DictReader(io.StringIO(answer.stdout))], ahead, answer.stderr)


if __name__ == "__main__":
    unittest.main()
