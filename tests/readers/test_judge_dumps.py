from __future__ import annotations

from tests.readers.judge_dumps import judge, left_out, main, parse, score

BAD_TEMPERATURE = "ups.status: OL\nups.temperature: 300 #BAD: kelvins\n"


def test_marks_and_comments():
    dump = "# a comment\nups.load: 0\t#COMMENT: none\nups.temperature: 255 #BAD\n#CMD:x\t#BAD: no variable\n"
    assert parse(dump) == ({"ups.load": "0", "ups.temperature": "255"}, {"ups.temperature"})


def test_right_findings_misses_and_false_alarms():
    verdicts = judge("a", BAD_TEMPERATURE + "ups.delay.start: 60 #BAD\nbattery.charge: 101\n")
    assert score(verdicts) == "1 right of 2 flagged and 2 marked: precision 0.50 recall 0.50"


def test_leaving_one_out_withholds_what_no_other_dump_bears_out():
    alone = judge("a", BAD_TEMPERATURE)
    assert score(left_out(alone)) == "0 right of 0 flagged and 1 marked: precision 1.00 recall 0.00"
    borne_out = alone + judge("b", BAD_TEMPERATURE)
    assert score(left_out(borne_out)) == "2 right of 2 flagged and 2 marked: precision 1.00 recall 1.00"


def test_a_folder(tmp_path, capsys):
    (tmp_path / "a.dev").write_text(BAD_TEMPERATURE)
    assert main([str(tmp_path)]) == 0
    assert "1 dumps, 1 right of 1 flagged and 1 marked" in capsys.readouterr().out
    assert main([str(tmp_path / "none")]) == 2
