"""The words of the synthetic play: lists of common English, by topic, the most frequent first.

A noun is ``stem``, ``stem/plural`` or ``stem~`` (a mass noun: no plural, no article); a verb is ``stem``
(regular) or ``stem/past/participle``.
"""

from __future__ import annotations

from dataclasses import dataclass

from lesson_ct4.synthetic_play.forms import Noun, Verb, noun, verb


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


@dataclass(frozen=True)
class Field:
    """The vocabulary of one topic."""

    nouns: tuple[Noun, ...]
    transitive: tuple[Verb, ...]
    intransitive: tuple[Verb, ...]
    adjectives: tuple[str, ...]


def _field(nouns: str, transitive: str, intransitive: str, adjectives: str) -> Field:
    return Field(
        tuple(map(noun, _listed(nouns))),
        tuple(map(verb, _listed(transitive))),
        tuple(map(verb, _listed(intransitive))),
        _listed(adjectives),
    )


GENERAL = _field(
    """man/men heart eye hand time love~ day life/lives death~ night word father world blood~ honour~ tongue
    name brother soul son head fear house friend heaven face wife/wives grace thing hour mind truth joy
    grief woman/women daughter mother child/children sister power hope nature~ tear hate~ body end cause
    part place fortune breath thought reason ear earth~ foot/feet sorrow light enemy way deed fault oath
    shame~ year news~ sun fire faith~ youth~ stone air~ water kind peace~ pride~ virtue spirit service wit
    matter hair cheek arm speech voice purpose mercy~ patience~ answer question wrong pain loss secret
    business promise rage~ cousin uncle neighbour stranger shadow strength~ duty manner beauty home
    people~ comfort~ blame~ danger chance burden moment morning evening morrow age bone finger lip knee
    shoulder throat brow bosom skin dust~ clay~ ground sense memory anger~ malice~ envy~ haste~ courage~
    wisdom~ folly doubt wonder dream care trouble quarrel error proof sign token story tale letter line
    question message counsel~ trick jest lie game prize gift debt price bargain knot string rope wheel
    nail hammer ladder lamp mirror glass needle thread basket pot barrel box chest""",
    """give/gave/given take/took/taken know/knew/known see/saw/seen make/made/made hear/heard/heard
    tell/told/told bring/brought/brought love bear/bore/borne hold/held/held leave/left/left
    keep/kept/kept find/found/found hate fear serve call lose/lost/lost seek/sought/sought
    show/showed/shown break/broke/broken win/won/won move want touch turn follow forget/forgot/forgotten
    trust help mark name praise raise carry change bless curse mock spare save use spend/spent/spent
    choose/chose/chosen meet/met/met watch lend/lent/lent teach/taught/taught owe blame deny deserve
    despise honour answer ask beg borrow measure hide/hid/hidden draw/drew/drawn cast/cast/cast
    send/sent/sent throw/threw/thrown deceive flatter comfort wrong offend please remember
    forgive/forgave/forgiven goad steal/stole/stolen shake/shook/shaken strike/struck/struck
    wake/woke/woken wear/wore/worn burn gather lift scatter welcome refuse receive suffer shame wish
    feed/fed/fed catch/caught/caught fill join pluck stain""",
    """come/came/come go/went/gone speak/spoke/spoken stand/stood/stood live die fall/fell/fallen stay
    rise/rose/risen weep/wept/wept sleep/slept/slept sit/sat/sat fly/flew/flown run/ran/run laugh walk
    return lie/lay/lain wait begin/began/begun tremble rest grow/grew/grown listen look smile sigh hasten
    linger kneel/knelt/knelt falter change appear vanish yield consent agree complain labour hurry wander
    fail prosper doubt tarry sink/sank/sunk""",
    """good great true poor old sweet fair noble young dear long little strange own high false proud gentle
    foul heavy cold dead bold wise happy rich strong honest wicked soft base hard black bright mad deep
    brave quick idle warm bitter worthy loud strange early tender ready humble weary weak cruel rude
    common plain simple careless ancient hollow secret swift silent rare vain pale sad mean stubborn
    guilty faithful cunning hasty modest patient curious distant narrow broad sudden sharp blunt dull bare
    empty foolish grave grim kind late lowly merry mighty naked new quiet rough short slow small smooth
    steady stern tall thin timely ugly vast wild wondrous""",
)

FIELDS = {
    "court": _field(
        """king crown queen throne prince duke lord lady court sceptre kingdom title treason council crest
        robe palace realm subject herald knight page counsellor usurper heir favour rank chamber
        statesman/statesmen minister flatterer traitor regent banner seal charter ring pageant ceremony
        sovereign exile tyrant""",
        """crown govern banish rule obey command depose betray appoint advance attend proclaim exalt usurp
        petition summon dismiss grant reward counsel""",
        "reign kneel bow plot conspire whisper rebel prosper govern",
        """royal loyal gracious sovereign princely stately haughty ambitious courtly lawful rightful golden
        treacherous obedient solemn mighty jealous kingly ungrateful disloyal""",
    ),
    "war": _field(
        """sword war soldier wound battle field army drum captain camp horse arrow shield spear enemy trumpet
        banner siege wall general armour~ helmet dagger march victory conquest trench cannon powder~ troop
        tent ditch gate slaughter~ truce prisoner hostage scar axe bow saddle fortress sergeant foe
        skirmish ambush veteran""",
        """kill fight/fought/fought slay/slew/slain conquer wound arm storm besiege pierce defend charge
        murder capture ransom scatter muster lead/led/led vanquish overthrow/overthrew/overthrown disarm""",
        """march bleed/bled/bled retreat charge fight/fought/fought fall/fell/fallen advance rally perish
        surrender""",
        """bloody valiant warlike fierce dreadful iron martial armed hostile desperate bruised furious
        fearless deadly hardy unconquered rusty savage merciless victorious""",
    ),
    "love": _field(
        """love~ heart kiss maid lover beauty rose sigh husband bride vow suitor mistress passion desire ring
        glove bosom marriage wedding lip dowry smile dove sonnet letter token bed glance delight embrace
        courtship maiden virgin widow rival ribbon veil garland blush whisper chastity~ tenderness~ flame
        arrow longing""",
        """love kiss woo wed marry adore embrace court charm enchant desire tempt cherish swear/swore/sworn
        forsake/forsook/forsaken win/won/won caress flatter entreat melt""",
        "sigh blush languish burn pine swoon dream dote weep/wept/wept tremble",
        """sweet fair lovely constant beauteous tender coy chaste gentle amorous blushing inconstant modest
        delicate youthful lovesick scornful dainty wanton radiant""",
    ),
    "sea": _field(
        """sea ship storm wind wave sail shore rock tide sailor harbour island deck mast anchor pilot wreck
        fish/fish oar captain coast gulf deep fleet sand~ vessel cable voyage shell pearl gull fog tempest
        foam~ mariner merchant bay current haven cargo keel rudder reef whale boatswain bell horizon
        lantern net""",
        """sail drown steer wreck toss swallow anchor launch moor rescue sink/sank/sunk board drench sunder
        founder overwhelm cross haul ferry batter""",
        "sail drown roar rage float drift swim/swam/swum founder swell toss surge ebb",
        """salt stormy raging watery windy boundless fathomless tempestuous foaming drenched seaward calm
        billowy wrecked northern briny misty homeward shallow restless""",
    ),
    "law": _field(
        """law judge justice~ crime prison sentence trial offence witness officer bond chain thief/thieves
        pardon gaoler statute magistrate evidence~ penalty guilt~ warrant jury hangman/hangmen
        gallows/gallows block axe plea culprit rogue bribe advocate contract clause seal debtor oath
        verdict innocence~ villain felon constable beadle dungeon bench charge punishment forfeit lawyer
        warden""",
        """judge condemn pardon accuse acquit punish hang arrest prove plead bind/bound/bound release
        imprison sentence swear/swore/sworn commit absolve try whip bribe convict""",
        "plead confess repent swear/swore/sworn offend testify appeal err relent",
        """just guilty lawful innocent strict severe corrupt upright merciful unjust rigorous penitent
        condemned impartial criminal shameless notorious binding false solemn""",
    ),
    "ghosts": _field(
        """night ghost dream moon star shadow witch devil grave spirit darkness~ candle owl spell charm
        midnight phantom bat raven cave omen curse fiend tomb hell~ goblin prophecy vision skull worm
        conscience terror shroud lantern mist cloud thunder~ lightning~ eclipse sorcerer magic~ cauldron
        vault shriek demon bone""",
        """haunt fright curse conjure bewitch charm darken summon torment foretell/foretold/foretold chill
        bury dread disturb terrify awaken shroud banish possess devour""",
        "howl shriek vanish walk glide tremble fade wake/woke/woken moan glimmer hover",
        """dark black ghostly pale fearful dismal dreadful midnight haunted unholy restless horrid moonlit
        hideous gloomy ominous starless wandering damned infernal""",
    ),
    "garden": _field(
        """flower garden tree rose spring summer leaf/leaves grass~ root seed fruit field rain~ winter bird
        river branch thorn bud weed lily harvest apple blossom oak hedge vine brook sheep/sheep lamb
        shepherd meadow autumn frost bee honey~ plough corn~ hill valley forest violet daisy nettle
        orchard barn nest lark swallow willow ivy~ snow~ dew~ spade gardener""",
        """plant water pluck prune sow reap gather graft nourish shade ripen root mow tend wither dig/dug/dug
        scatter pick trample uproot""",
        "grow/grew/grown bloom wither ripen bud blossom spring/sprang/sprung fade decay flourish droop",
        """green fresh ripe fragrant barren fruitful tender wild wintry golden leafy sunny mossy withered
        rustic dewy blooming thorny rank bountiful fertile""",
    ),
    "feast": _field(
        """wine~ feast cup table bread~ meat cook supper guest tavern host dish ale~ dinner hunger~ belly
        fool kitchen appetite butter~ cheese plate knife/knives spoon napkin goose/geese capon pie sauce
        salt~ pepper~ onion egg bottle cellar drunkard glutton jest laughter~ dance fiddle fiddler clown
        hostess bench chimney broth barrel""",
        """eat/ate/eaten drink/drank/drunk taste pour swallow carve fill bake roast boil serve pledge invite
        devour chew season spill toast feed/fed/fed entertain""",
        "feast dine drink/drank/drunk dance laugh sing/sang/sung revel starve belch carouse jest sup",
        """merry hungry drunken sweet sour greedy fat lean jolly thirsty spiced plump stale sober ravenous
        savoury delicious noisy festive bottomless""",
    ),
    "trade": _field(
        """gold~ money~ purse merchant coin debt silver~ price market house jewel cloth~ ducat treasure shop
        tailor penny/pence profit interest loan wage trade pawn beggar miser cloak velvet~ silk~ diamond
        usurer account sum bond creditor bargain purchase ware custom~ ledger tailor hat gown button
        sleeve cobbler shoe weaver wool~ linen~ leather~ apprentice steward rent""",
        """buy/bought/bought sell/sold/sold pay/paid/paid lend/lent/lent borrow earn weigh count
        spend/spent/spent owe cheat hoard trade stitch cut/cut/cut bargain value squander cheapen hire""",
        "thrive trade prosper bargain deal/dealt/dealt haggle toil profit",
        """rich poor costly cheap golden precious thrifty greedy worthless honest threadbare miserly wealthy
        priceless counterfeit generous needy profitable silken embroidered""",
    ),
    "faith": _field(
        """god heaven prayer church soul friar priest saint angel sin altar bell blessing temple pilgrim
        bishop conscience cross psalm sermon hymn hermit monk abbey relic shrine penance~ sinner chapel
        nun book candle paradise faith~ charity~ repentance~ virtue miracle devotion grace holiday
        cloister vow incense~ creed""",
        """bless pray worship forgive/forgave/forgiven sanctify absolve christen convert preach praise
        confess swear/swore/sworn redeem chasten beseech/besought/besought venerate marry bury anoint""",
        "pray kneel/knelt/knelt fast repent sin preach bow wander fall/fell/fallen ascend",
        """holy sacred blessed devout pious divine heavenly sinful virtuous saintly godly reverend immortal
        hallowed profane penitent contrite eternal blasphemous charitable""",
    ),
    "sickness": _field(
        """death~ physician blood~ grave poison plague fever wound disease coffin medicine remedy funeral
        corpse sickness~ pain breath age mourner surgeon herb drug potion vein pulse infection tomb cradle
        nurse infant cough ache bandage sexton epitaph shroud widow orphan worm plaster ulcer cure bed
        pillow groan madness~""",
        """kill cure heal bury poison mourn nurse infect lament soothe purge comfort ease afflict bathe
        swallow diagnose embalm bandage weaken""",
        "die groan faint bleed/bled/bled sicken languish recover mourn cough decay expire ache",
        """sick dead mortal pale feeble wretched grievous sickly poisonous feverish mournful weary frail
        faint incurable wholesome lame blind aged infectious""",
    ),
    "travel": _field(
        """road house door city horse journey gate inn bed window mile mountain traveller servant bridge
        street stable master key lantern coach cart pilgrim village map border messenger boot staff/staves
        stranger guide country desert castle tower stair lodging candle roof corner lane wagon path mule
        beggar robber fire hearth threshold porter lock cottage errand""",
        """ride/rode/ridden cross enter open shut/shut/shut lock guide leave/left/left saddle visit pass
        reach hurry track knock lodge escort search follow bar""",
        """ride/rode/ridden travel depart arrive wander return knock sleep/slept/slept go/went/gone stumble
        journey""",
        """weary long foreign dusty distant strange lonely muddy homeless steep narrow crooked open nightly
        footsore trusty barefoot unknown winding early""",
    ),
    "learning": _field(
        """book music~ song lute tongue scholar master verse poet pen page lesson school art rhyme riddle
        string ink~ paper~ philosopher instrument voice wisdom~ note tune pupil chorus player stage
        painter picture grammar~ speech schoolmaster prologue tragedy comedy fable history drum pipe flute
        proverb volume tutor paradox argument number logic~ mask actor""",
        """read/read/read write/wrote/written teach/taught/taught learn sing/sang/sung study recite paint
        compose rehearse translate play perform describe invent copy tune interpret prove print""",
        "sing/sang/sung study play argue rhyme read/read/read rehearse dispute prattle stammer",
        """learned wise musical skilful tuneless eloquent subtle witty tedious scholarly ingenious melodious
        famous sweet crabbed pedantic clever fanciful written tragic""",
    ),
    "hunt": _field(
        """dog horse lion wolf/wolves bear fox hound deer/deer hawk forest beast cat bull serpent eagle
        hunter horn wood boar hare snare trap tiger sheep/sheep mouse/mice rat crow raven falcon cage
        tooth/teeth claw spur bridle whelp badger otter toad spider monkey ape ass goat swine/swine viper
        kennel thicket wing feather tail den""",
        """hunt chase catch/caught/caught bite/bit/bitten tame ride/rode/ridden snare trap whip spur hound
        scent devour tear/tore/torn sting/stung/stung stalk bridle shoot/shot/shot unleash scratch""",
        "bark bite/bit/bitten howl leap prowl hunt roar creep/crept/crept crouch snarl bray crawl",
        """wild fierce hungry swift savage tame cunning venomous beastly ravenous feathered bristled wolfish
        hunted untamed stinging nimble brutish foxy lean""",
    ),
}

MENTAL = tuple(
    map(
        verb,
        _listed("""
    think/thought/thought know/knew/known say/said/said fear hope swear/swore/sworn believe hear/heard/heard
    see/saw/seen tell/told/told feel/felt/felt grant vow confess perceive protest wish dream suppose doubt
    prove find/found/found understand/understood/understood report remember prophesy deny
"""),
    )
)

PEOPLE = _listed("""
    lord sir madam friend master fool knave villain rogue cousin brother sister gentleman lady boy girl
    wench sweetheart uncle aunt neighbour captain fellow gossip stranger child liege princess father mother
    rascal coward slave wretch traitor scholar shepherd soldier
""")

NAMES = _listed("""
    Aldous Ambrose Anselm Arnulf Baldwin Barnaby Bertrand Bevis Casimir Cedric Conrad Crispin Cuthbert
    Darius Denholm Dunstan Edmer Egbert Elias Emeric Everard Fabrice Ferrand Florian Fulbert Galfrid Gerwin
    Gideon Godwin Grimald Gunther Hadrian Hamo Hector Hubert Ignace Ivo Jasper Jerome Jocelin Justin Kenelm
    Lambert Lazarus Leofric Lothar Lucan Magnus Marius Maximin Merrick Milo Nestor Nicodemus Norbert Odo
    Orsino Osric Oswin Paschal Percival Quentin Quillon Rainald Ranulf Roland Rufus Sampson Sebald Sigmund
    Silvester Simeon Tancred Theobald Thurstan Tobias Ulric Urban Valentin Victor Walden Wilfrid Wymond
    Xavier Zacharias Zeno Benno Corvin Drogo Ormond
""")

WOMEN = _listed("""
    Adela Agatha Aveline Beatrix Blanche Bridget Cecily Clemence Constance Dorothea Edith Eleanor Elfrida
    Emmeline Esther Felicia Flora Frances Giselle Griselda Hawise Helewise Hilda Imogene Isolde Jacinta Joan
    Justina Lavinia Leonora Lucinda Mabel Marianne Matilda Maud Mildred Millicent Muriel Nicolette Octavia
    Odette Philippa Phoebe Rosalba Rosamund Sabina Sibyl Sophronia Susanna Theodora Ursula Verena Winifred
    Xanthe Yolande Zenobia
""")

PLACES = _listed("""
    Ardmore Bellmont Calder Castellan Corvenna Delmaro Elsinby Fenwick Galloway Harrow Ilvermere Jarrow
    Kesterby Lavenham Lorrain Marrowdale Norvale Ostravia Penrith Quorn Ravenna Salerno Tarragon Umberland
    Valmora Westmarch Yarrow Zellmark Brindle Mantova Cordova Thessaly
""")

ROLES = _listed("""
    Soldier Citizen Servant Gentleman Lord Watchman Messenger Murderer Guard Keeper Sailor Merchant Musician
    Officer Hunter Beggar
""")

SINGLE_ROLES = _listed("""
    Nurse Porter Friar Boatswain Gardener Shepherd Clown Hostess Herald Abbess Physician Captain Ghost
    Tailor Steward Page Hermit Jailer Fiddler Widow Schoolmaster Pilgrim Bishop Tutor
""")

NEGATED = frozenset(
    _listed("""
    happy kind worthy true just faithful lawful holy wise ready gracious gentle fair loyal patient grateful
    clean steady quiet honest constant chaste fruitful wholesome profitable learned known written conquered
    merciful
""")
)
NO_ADVERB = ("ed", "ing", "en", "ly", "wn", "long", "little", "old", "iron", "midnight", "like", "lit")

ADVERBS = _listed("""
    now here then there well still again never yet ever too once indeed soon away together alone forth
    straight home already tonight tomorrow today hence thence hither thither anon presently henceforth twice
    apart abroad elsewhere always seldom often perchance withal
""")
