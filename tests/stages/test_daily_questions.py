"""Once a day each platform is asked what our access lacks and who goes by our name: never in reading's way."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from monitor import casework
from monitor.domain.account import Access, Account, Budget, Capabilities, Profile
from monitor.domain.errors import NotFound, SourceError
from monitor.domain.item import Author, AuthorKind, Channel
from monitor.domain.lookalike import LookalikeDecision
from monitor.domain.mentions import SchoolNames
from monitor.pipeline import access, lookalikes
from monitor.store.access import as_access
from monitor.store.lookalikes import Lookalike
from tests.stages.conftest import PAGE, ListedPages, School

NAMES = SchoolNames(names=("Larkfield Primary",), misspellings=("Larkfeild Primary",), handles=("larkfieldprim",))
OFFICIAL = replace(PAGE, names=NAMES, handles=("larkfieldprim",))
MENTIONS = replace(OFFICIAL, id="mentions", channel=Channel.MENTION, name="Said elsewhere")
FAKE = Profile(
    platform="facebook",
    id="66",
    handle="larkfieldprim_official",
    name="Larkfield Primary",
    about="The real one",
    url="https://facebook.example/66",
    raw={"id": "66", "odd": ["\x00", None]},
)
OTHER = replace(FAKE, id="67", handle="garage", name="Garage", about="")


@dataclass
class Platform(ListedPages):
    """Says what it is told to say of access and profiles, or fails."""

    told: Access | SourceError = field(default_factory=Access)
    found: Sequence[Profile | SourceError] = ()
    asked: list[tuple[str, ...]] = field(default_factory=list)
    times: int = 0
    searches: bool = True

    def capabilities(self) -> Capabilities:
        can = self.searches
        return Capabilities(reads=("comments",), edits=True, deletions=True, finds_profiles=can, budget=self.budget)

    def access(self, now: datetime) -> Access:
        self.times += 1
        if isinstance(self.told, SourceError):
            raise self.told
        return self.told

    def profiles(self, names: Sequence[str], now: datetime) -> Iterator[Profile]:
        self.asked.append(tuple(names))
        for profile in self.found:
            if isinstance(profile, SourceError):
                raise profile
            yield profile


@pytest.fixture
def platform(school: School) -> Platform:
    with school.store.transaction() as tx:
        tx.sources.register([OFFICIAL, MENTIONS])
    return Platform()


def ask(school: School, platform: Platform) -> int:
    turns = 0
    while access.run(school.store, [OFFICIAL, MENTIONS], {"page": platform, "mentions": platform}, school.now):
        turns += 1
    return turns


def look(school: School, platform: Platform) -> list[Lookalike]:
    while lookalikes.run(school.store, [OFFICIAL, MENTIONS], {"page": platform, "mentions": platform}, school.now):
        pass
    with school.store.reading() as tx:
        return tx.lookalikes.all()


def test_access_is_asked_once_a_day_for_each_account_and_kept(school: School, platform: Platform) -> None:
    platform.told = Access(
        ends={"the access token": school.now + timedelta(days=9)}, lacks=("pages_messaging",), notes=("v26.0",)
    )
    assert [ask(school, platform), ask(school, platform)] == [2, 0]
    with school.store.reading() as tx:
        state = tx.sources.state("page")
    assert (as_access(state.access), state.access_at) == (platform.told, school.now)
    school.later(hours=23)
    assert ask(school, platform) == 0
    school.later(hours=1)
    assert ask(school, platform) == 2


def test_a_platform_that_does_not_say_is_asked_an_hour_later_and_what_it_said_before_stands(
    school: School, platform: Platform
) -> None:
    platform.told = said = Access(lacks=("pages_messaging",))
    ask(school, platform)
    school.later(days=1)
    platform.told = SourceError("Facebook did not answer", permanent=True)
    ask(school, platform)
    school.later(minutes=59)
    assert ask(school, platform) == 0
    school.later(minutes=1)
    assert ask(school, platform) == 2
    with school.store.reading() as tx:
        state = tx.sources.state("page")
        assert (as_access(state.access), state.problem) == (said, None)
        assert tx.health.problems() == []


def test_access_is_asked_again_where_it_was_warned_of_at_a_start_and_once_somebody_has_let_us_in_again(
    school: School, platform: Platform
) -> None:
    ask(school, platform)
    with school.store.transaction() as tx:
        tx.access.ask_anew(["page"])
    assert ask(school, platform) == 1
    for refused, asked in ((False, 0), (True, 1)):
        with school.store.transaction() as tx:
            tx.sources.failed("page", "it did not answer", school.now, next_poll_at=school.now, refused=refused)
            tx.sources.read_ok("page", school.now, newest=None, next_poll_at=school.now)
        assert ask(school, platform) == asked


def test_a_connector_that_breaks_is_not_asked_again_at_once(school: School, platform: Platform) -> None:
    platform.told = None  # type: ignore[assignment]
    for _ in range(2):
        with pytest.raises(AttributeError):
            access.run(school.store, [OFFICIAL, MENTIONS], {"page": platform, "mentions": platform}, school.now)
    assert ask(school, platform) == 0
    assert platform.times == 2, "each account once"


def test_profiles_that_carry_our_name_are_listed_with_the_record_as_evidence(
    school: School, platform: Platform
) -> None:
    platform.found = (FAKE, OTHER)
    [one] = look(school, platform)
    assert (one.profile.handle, one.found_at, one.decision) == (FAKE.handle, school.now, None)
    assert one.why == "its handle is ours, @larkfieldprim, with something added or left out"
    assert one.profile.raw["id"] == "66"
    assert platform.asked == [("Larkfield Primary", "Larkfeild Primary", "larkfieldprim")], "a search may cost"


def test_one_that_is_found_again_is_listed_once_and_keeps_its_decision(school: School, platform: Platform) -> None:
    platform.found = (FAKE,)
    [one] = look(school, platform)
    casework.judge_lookalike(
        school.store, one.id, LookalikeDecision.REPORTED, note="ref 12", actor="desk", now=school.now
    )
    first = school.now
    school.later(days=1)
    platform.found = (replace(FAKE, name="Larkfield Primary School"),)
    [again] = look(school, platform)
    assert (again.profile.name, again.found_at, again.last_seen_at) == (
        "Larkfield Primary School",
        first,
        school.now,
    )
    assert (again.decision, again.note, again.decided_by) == (LookalikeDecision.REPORTED, "ref 12", "desk")


def test_who_wrote_what_a_search_for_mentions_brought_is_looked_at_too(school: School, platform: Platform) -> None:
    comment = school.say("hello")

    def wrote(account: Account, author: Author) -> None:
        school.count += 1
        ref = replace(comment.ref, id=f"m{school.count}")
        item = replace(comment, ref=ref, author=author, channel=account.channel)
        with school.store.transaction() as tx:
            tx.items.save([item], account, school.now, school.now)

    wrote(MENTIONS, Author(id="5", handle="larkfie1dprim", display_name="Head"))
    wrote(MENTIONS, Author(id="6", handle="jo", display_name="Jo"))
    wrote(MENTIONS, Author(id="7", handle="larkfieldprim2", display_name="Us", kind=AuthorKind.SCHOOL))
    wrote(MENTIONS, Author(display_name="Larkfield Primary"))
    wrote(OFFICIAL, Author(id="8", handle="larkfieldprim3"))
    [one] = look(school, platform)
    assert (one.profile.id, one.account, one.profile.url) == ("5", "mentions", "")


def test_a_search_that_fails_half_way_keeps_what_it_found_and_is_tried_later(
    school: School, platform: Platform
) -> None:
    platform.found = (FAKE, SourceError("Facebook did not answer"))
    assert len(look(school, platform)) == 1
    assert len(platform.asked) == 1
    school.later(hours=6)
    look(school, platform)
    assert len(platform.asked) == 2
    with school.store.reading() as tx:
        assert tx.health.problems() == []


def test_those_that_wait_for_a_decision_stand_first(school: School, platform: Platform) -> None:
    platform.found = (FAKE, replace(FAKE, id="68"))
    first, second = look(school, platform)
    casework.judge_lookalike(
        school.store, first.id, LookalikeDecision.UNRELATED, note="", actor="desk", now=school.now
    )
    assert [one.id for one in look(school, platform)] == [second.id, first.id]
    with school.store.reading() as tx:
        assert tx.lookalikes.undecided() == 1


def test_a_decision_about_none_is_refused(school: School) -> None:
    with pytest.raises(NotFound):
        casework.judge_lookalike(school.store, 7, LookalikeDecision.OURS, note="", actor="desk", now=school.now)


def test_whichever_account_of_a_platform_can_searches_for_all_of_them(school: School, platform: Platform) -> None:
    unable = Platform(searches=False)
    accounts = [OFFICIAL, MENTIONS]
    while lookalikes.run(school.store, accounts, {"page": unable, "mentions": platform}, school.now):
        pass
    assert (len(unable.asked), len(platform.asked)) == (0, 1)


def test_nobody_is_searched_for_once_the_budget_is_spent(school: School, platform: Platform) -> None:
    platform.budget = Budget(unit="US$", cap=5, period="month")
    platform.found = [FAKE]
    with school.store.transaction() as tx:
        tx.spending.add(OFFICIAL.credential, platform.budget, 5, school.now)
        tx.spending.add(MENTIONS.credential, platform.budget, 5, school.now)
    assert look(school, platform) == []
    assert platform.asked == []
    school.later(days=31)
    assert [one.profile.handle for one in look(school, platform)] == [FAKE.handle]
