"""Typos forgiven where it is clear what was meant, and only there."""

from __future__ import annotations

from collections.abc import Collection

# English that stands one or two letters from words of operations and means something else. Never taken for a typo.
_PLAIN = """
able about above accept access across actual added adding advice affect afford alert alive allow almost alone along
already also alter always amount angry annual another answer anyone apart appear apply arrive aside assign assume
attack attacked attacks attend aware away awful back badly balance band bank bare base bases basic bear beat been
begin behind being below best beta better beyond bill bind bite blame blank blind block blow blue body bold bond
bone book bore borrow boss both bother bottom bought bound bowl brand brave bread break brief bright bring broad
brown brush bulk bunch burn bury cake call calm came camp card care careful carry case cash cast catch cause cell
chain chair change charge chart chat cheap check chief child choice choose chose circle civil claim class clean
clear clever climb clock close closed cloth cloudy coast coat code coin cold collect color column come comment
common compete complete concern confirm consist contain content control cook cool copy core corner correct cost
costs count country couple course cover crash crashed crazy cream crime cross crowd cruel cure curve custom cycle
daily dance danger dare dark data date dear death debt decide deep defend define degree delay delayed delays deliver
demand deny depend desert design desk despite detail detect develop device differ dirt dirty discover discuss dish
divide double doubt draft drag drama draw dream dress drink drive drop drunk dust duty each earn ease east easy echo
edge effect eight either elect else empty enable endure engage enjoy enough ensure enter entire entry equal escape
even event ever every exact exam except excess excite exit expand expect expert explain expose extend extra face
fact fade fail fair faith fall false fame family famous fancy fare farm fashion fast fate favor fear feed feel feet
fell felt fewer field fight figure file fill film final find fine finger finish fire firm fish five flag flat flew
flight float flood flow fold follow food foot force forest forget form formal former forth forty forward found frame
fresh friend front frozen fuel full fully funny gain game garden gate gather gave general gentle gift girl give
given glad glass goal gold gone good grade grand grant grass grave gray great green grew grey grief grip gross
ground grow growth guard guess guest guide guilt habit hair hall hand handle hang happen happy harm hate have head
heal health hear heart heat heavy held help hence here hide hint hire hold hole holy home honest hope horse hostile
hotel house huge human hunt hurry hurt idea ideal idle import impose inch index inform inner input insert inside
insist install instead intend invest invite iron issue item join joint joke judge jump just keen keep kept kick kill
kind king kiss knew knife knock know lack lady lake lamp land lane large late later laugh lawn layer lead leaf leak
lean learn lease least leave left legal lend lens less lesson letter level lift light like limb line link listen
little live load loan local lock logic lone look loop loose lord lose loss lost loud love loyal luck lunch made
magic mail main major make male mark market mask mass match mate matter maybe meal mean meant measure meat meet
mental merge merry mess metal meter method middle might mild mile milk mind mine minor miss mistake mode model
modern modest moment money mood moon moral more most moth motor mount mouse mouth move movie much music must myth
near nearly neat neck need nerve nest never next nice nine nobody noise none nope nose note nothing notice novel
obey object obtain occur ocean odds offer often once only onto open opera oppose order other ought ours outer over
owed pack page paid pain paint pair pale panel panic paper parent park part party pass past paste patch path pause
peace peak perfect permit person phase phone photo phrase pick picture piece pile pine pink pint pipe pity place
plain plan planet plant plate play please plenty plot plus poem poet point poison pole polite poor pope pose post
posts potato pound pour praise pray prefer present press pretty prevent price pride prime print prior prison prize
probe profit promise proof proper proud prove pull pump pupil pure push quick quiet quit quite race rail rain raise
range rank rapid rare rate rather reach react ready real really reason recall receive record reduce refer reform
refuse regard regret reject relate relax release relief remain remark remember remind remote remove rent repair
repeat replace reply report rescue resist resort respect respond rest result retain retire return reveal review
reward rich ride right ring rise risk rival river road roar rock role roll roof room root rope rose rough round
route royal rude ruin rule rush sack sacred safe said sail sake salt same sand save seal search season seat second
secret seed seek seem seen self sell send sense sent serve settle seven severe shade shake shall shame shape share
sharp sheet shelf shell shine ship shirt shock shoe shoot shop shore short shot should shout show shown shut sick
side sigh sight sign silent silly silver simple since sing sink sister site skill skin sleep slice slide slip slow
smart smell smile smoke smooth soft soil sold sole solid solve some song soon sore sorry sort soul sound soup sour
south spare speak speed spell spend spent spin spirit split spoil spoke sport spot spread spring square stable staff
stage stain stair stake stale stamp stand star stare start state stay steady steal steam steel steep stem step
stepped stick stiff still stir stone stood stool store storm story strange straw stream street strict strike string
strip strong stuck study stuff style such sudden suffer suit sure surf sweep sweet swim swing sword table tail take
tale talk tall tank tape task taste team tear tell tend tender tent term terms test text than thank that them theme
then there these they thick thief thin thing think third this thorn those though thread threat three throat throw
thus tide tidy tight tiny tired title today toll tone took tool tooth torn total touch tough tour toward tower town
toxic trace track trade train trap trash travel treat tree trend trial tribe trick trip troop true truly trust truth
tube tune turn twice twin twist ugly uncle under union unit unite upper upset urge useful usual vain valid value
vary vast verb very victim view vital vivid voice void vote wage wait wake walk wall want warm warn waste watch wave
weak wealth wear weary weather weed weigh weird well west wheel where while whole wide wife wild will wind wine wing
wipe wire wise wish witness wonder wood wool word wore work world worn worry worse worst worth wrap wreck write
wrong yard yeah yell young yours youth process processes processing thread threads package packages private stickers
prod dev test stage staging live demo infra
"""
_ENGLISH = frozenset(_PLAIN.split())
_SHORTEST = 4  # letters of what may be a typo
_LONG = 7  # letters from which two edits are forgiven


# Slips too short to be measured.
_COMMON = {
    "les": "less", "mor": "more", "teh": "the", "fo": "of", "ot": "to", "ni": "in", "whitch": "which",
    "witch": "which", "hte": "the", "adn": "and", "nad": "and", "fro": "for", "wiht": "with", "wth": "with",
    "thna": "than", "tahn": "than", "thn": "than", "hwo": "how", "hw": "how", "mny": "many", "waht": "what",
    "wat": "what", "wht": "what", "whta": "what", "taht": "that", "tht": "that", "whcih": "which", "wich": "which",
    "whihc": "which", "whic": "which", "ar": "are", "aer": "are", "si": "is", "shwo": "show", "sho": "show",
    "shw": "show", "lsit": "list", "lits": "list", "lis": "list", "al": "all", "alll": "all", "ips": "ips",
    "vsm": "vms", "vmss": "vms", "vns": "vms", "frm": "from", "rma": "ram", "cup": "cpu", "cpuu": "cpu",
    "hots": "hosts", "hsot": "host", "hosst": "hosts", "uo": "up", "dwon": "down", "donw": "down", "dow": "down",
    "doen": "down", "odl": "old", "nwe": "new", "bigest": "biggest", "imag": "image", "netwrk": "network",
    "ntework": "network", "projct": "project", "tennant": "tenant", "tenent": "tenant", "tennants": "tenants",
    "usr": "user", "yuo": "you", "yu": "you", "pls": "please", "plz": "please", "thx": "thanks", "ned": "need",
    "giv": "give", "gve": "give", "pwoered": "powered", "beween": "between",
}  # fmt: skip


def common(word: str) -> str | None:
    """What a slip that is too short to be measured stands for: "teh", "adn"."""
    return _COMMON.get(word)


def correct(word: str, vocabulary: Collection[str]) -> str | None:
    """The word of the vocabulary that was meant, the word itself if it is one of them, or None when that is not clear.

    One edit (a letter too many, missing, wrong, or two swapped) from 4 letters on, two from 7. The first letter is as
    typed, or swapped with the second. The nearest wins; between equals nobody does, unless they are the singular and
    plural of one word. Words of plain English are never typos. Both sides are lower-case.
    """
    if word in vocabulary:
        return word
    if len(word) < _SHORTEST or not word.isalpha() or word in _ENGLISH:
        return None
    from rapidfuzz.distance import DamerauLevenshtein

    first, swapped = word[0], word[1::-1]
    nearest, found = (1 if len(word) < _LONG else 2), list[str]()
    for candidate in vocabulary:
        if candidate[:1] != first and candidate[:2] != swapped:
            continue
        if len(candidate) < _SHORTEST - 1 or abs(len(candidate) - len(word)) > nearest:
            continue
        edits = DamerauLevenshtein.distance(word, candidate, score_cutoff=nearest)
        if edits > nearest or (edits > 1 and len(candidate) < _LONG):
            continue
        if edits < nearest:
            nearest, found = int(edits), [candidate]
        else:
            found.append(candidate)
    return _winner(word, sorted(set(found)))


def _winner(word: str, found: list[str]) -> str | None:
    if len(found) == 2 and found[1] == found[0] + "s":
        return found[1] if word[-1] in "sz" else found[0]
    if len(found) > 1:  # two letters swapped is the commonest slip, then one left out
        swapped = [one for one in found if sorted(one) == sorted(word)]
        left_out = [one for one in found if len(one) > len(word)]
        found = swapped or left_out or found
    return found[0] if len(found) == 1 else None
