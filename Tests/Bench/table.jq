# Rows of `measure` as a table for people.
def fixed($digits): (. * pow(10; $digits) | round | tostring) as $all
    | ($all | if length <= $digits then ("0" * ($digits + 1 - length)) + . else . end)
    | .[:-$digits] + "." + .[-$digits:];
def left($width): . + (" " * ([$width - length, 0] | max) // "");
def right($width): (" " * ([$width - length, 0] | max) // "") + .;
def line($name; $ours; $theirs; $ratio; $budget):
    ($name | left(42)) + ($ours | right(9)) + ($theirs | right(11)) + ($ratio | right(8)) + ($budget | right(9));
line("comparison"; "ours ms"; "peer ms"; "ratio"; "budget"),
(.[] |
    (if .better == "ours/theirs" then .ours / .theirs else .theirs / .ours end) as $ratio
    | line(.name; .ours * 1000 | fixed(1); .theirs * 1000 | fixed(1); $ratio | fixed(1);
        if .budget == null then "-" elif .better == "ours/theirs" then "<= \(.budget)" else ">= \(.budget)" end))
