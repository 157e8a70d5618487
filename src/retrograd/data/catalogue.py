"""The tables that `retrograd sample` knows: what each one is, where it is published, and its checksum.

A table is *shipped* (it lies in `samples/`, beside its source and licence), *fetched* (from its public origin, on the
person's own machine) or *invented* (made by a formula, and its name says so).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Origin = Literal["shipped", "fetched", "invented"]

_UCI = "UCI Machine Learning Repository, https://archive.ics.uci.edu/dataset/"
_CC_BY = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"
_SKLEARN = "; this copy from scikit-learn"
_RAW = "https://raw.githubusercontent.com/"
_BROWNLEE = _RAW + "jbrownlee/Datasets/"


@dataclass(frozen=True)
class Sample:
    """One table to try things on: ``columns`` counts the target too, ``origin`` says how it gets here.

    >>> Sample("tides", "Invented tides", "height", 100, 3, "invented", "a formula", "CC0").description
    'Invented tides: 100 rows, 3 columns, target height; invented, not real data'
    """

    name: str
    title: str
    target: str
    rows: int
    columns: int
    origin: Origin
    source: str
    licence: str
    notes: tuple[str, ...] = ()
    description: str = field(init=False)

    def __post_init__(self) -> None:
        how = {
            "shipped": "comes with Retrograd",
            "fetched": "fetched from its public origin",
            "invented": "invented, not real data",
        }[self.origin]
        size = f"{self.rows:,} rows, {self.columns} columns, target {self.target}"
        object.__setattr__(self, "description", f"{self.title}: {size}; {how}")


@dataclass(frozen=True)
class PublicFile:
    """A file at its public origin.

    ``path`` is its place below the folder that RETROGRAD_DATA names; ``urls`` are tried in order; ``sha256`` and
    ``size`` (bytes) are of the file as published.  ``header`` is put in front where the file has no header row.
    """

    path: str
    urls: tuple[str, ...]
    sha256: str
    size: int
    header: str = ""


SHIPPED: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample(
            "digits", "Handwritten digits of 8 x 8 pixels", "digit", 1797, 65, "shipped",
            "E. Alpaydin and C. Kaynak (1998), Optical Recognition of Handwritten Digits, the test set; "
            + _UCI + "80" + _SKLEARN,
            _CC_BY,
            ("pixel_ROW_COLUMN is the ink from 0 to 16",),
        ),
        Sample(
            "breast-cancer", "Breast cancer of Wisconsin, malignant or benign", "diagnosis", 569, 31, "shipped",
            "W. Wolberg, O. Mangasarian, N. Street and W. Street (1993), Breast Cancer Wisconsin (Diagnostic); "
            + _UCI + "17" + _SKLEARN,
            _CC_BY,
            ("measured on digitised images of cell nuclei; mean, standard error and the mean of the three largest",),
        ),
        Sample(
            "diabetes", "Progression of diabetes one year later", "progression", 442, 11, "shipped",
            "B. Efron, T. Hastie, I. Johnstone and R. Tibshirani (2004), Least Angle Regression, Annals of Statistics "
            "32, 407-499; https://www4.stat.ncsu.edu/~boos/var.select/diabetes.html" + _SKLEARN,
            "published with the paper without a licence text; distributed by scikit-learn under BSD-3-Clause",
            ("measured values, not the centred and scaled ones that are often passed around",),
        ),
        Sample(
            "wine", "Wines of three cultivars by chemical analysis", "cultivar", 178, 14, "shipped",
            "S. Aeberhard and M. Forina (1992), Wine; " + _UCI + "109" + _SKLEARN,
            _CC_BY,
        ),
    )
}  # fmt: skip

INVENTED: dict[str, Sample] = {
    sample.name: sample
    for sample in (
        Sample(
            "rings-invented", "Invented: three concentric rings that no straight line divides", "ring", 900, 3,
            "invented", "made by retrograd.data.samples from a fixed seed", "CC0 1.0",
            ("invented data: drawn from a formula, says nothing about the world",
             "ring is inner, middle or outer: radius 1, 2 or 3 with noise of 0.2"),
        ),
        Sample(
            "waves-invented", "Invented: a wavy surface with noise", "height", 1200, 4, "invented",
            "made by retrograd.data.samples from a fixed seed", "CC0 1.0",
            ("invented data: drawn from a formula, says nothing about the world",
             "height = sin(2 x1) + cos(3 x2) / 2 + noise of 0.1; the column idle has no influence"),
        ),
    )
}  # fmt: skip

_WINE_HEADER = (
    "fixed_acidity,volatile_acidity,citric_acid,residual_sugar,chlorides,free_sulfur_dioxide,"
    "total_sulfur_dioxide,density,pH,sulphates,alcohol,quality"
)
_WINE_SOURCE = (
    "P. Cortez, A. Cerdeira, F. Almeida, T. Matos and J. Reis (2009), Modeling wine preferences by data mining from "
    "physicochemical properties, Decision Support Systems 47, 547-553; " + _UCI + "186"
)
_CELLS = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity", "concave_points", "symmetry",
    "fractal_dimension",
)  # fmt: skip

_FETCHED: tuple[tuple[Sample, PublicFile], ...] = (
    (
        Sample(
            "king-county-houses", "House sales in King County, USA, 2014 and 2015", "price", 21613, 21, "fetched",
            "harlfoxem on Kaggle, https://www.kaggle.com/datasets/harlfoxem/housesalesprediction", "CC0 1.0",
            ("price in dollars; some houses were sold twice: --group id keeps their sales in one split",),
        ),
        PublicFile(
            "king-county-houses/kc_house_data.csv",
            (_RAW + "abdiassantos/dataScience/HEAD/kc_house_data.csv",
             _RAW + "abdiassantos/dataScience/499c7b3f7b2de798d7bdd49e24663f51f8df33dc/kc_house_data.csv"),
            "f0d395273dd084bdbfe0dee766bd10a9f059ad9ea164c203c3b5f46f4d6a5c1b", 2515201,
        ),
    ),
    (
        Sample(
            "california-housing", "House values by block group, California 1990", "median_house_value", 20640, 10,
            "fetched",
            "R. Pace and R. Barry (1997), Sparse Spatial Autoregressions, Statistics and Probability Letters 33, "
            "291-297; 1990 census, with ocean_proximity and gaps added by A. Geron",
            "census data in the public domain; the copy is under Apache-2.0",
            ("values above 500,000 dollars are cut off there",),
        ),
        PublicFile(
            "california-housing/housing.csv",
            (_RAW + "ageron/handson-ml2/master/datasets/housing/housing.csv",
             _RAW + "ageron/handson-ml2/aa555aa16b9d0af6c84e67c7757f3317d05acb12/datasets/housing/housing.csv"),
            "8a3727f4cf54ac1a327f69b1d5b4db54c5834ea81c6e4efc0d163300022a685e", 1423529,
        ),
    ),
    (
        Sample(
            "adult-income", "Income above 50,000 dollars, US census 1994", "income", 32561, 15, "fetched",
            "B. Becker and R. Kohavi (1996), Adult; " + _UCI + "2", _CC_BY,
            ("the training part; a header row was added, '?' is a missing value",
             "fnlwgt is the census's weight of a row, not a property of the person"),
        ),
        PublicFile(
            "adult-income/adult-train.csv",
            (_BROWNLEE + "master/adult-train.csv",
             "https://archive.ics.uci.edu/ml/machine-learning-databases/adult/adult.data"),
            "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d", 3974305,
            "age, workclass, fnlwgt, education, education_num, marital_status, occupation, relationship, race, sex, "
            "capital_gain, capital_loss, hours_per_week, native_country, income",
        ),
    ),
    (
        Sample(
            "wine-quality-white", "White wines judged from 0 to 10", "quality", 4898, 12, "fetched", _WINE_SOURCE,
            _CC_BY, ("a header row was added",),
        ),
        PublicFile(
            "wine-quality/winequality-white.csv",
            (_BROWNLEE + "master/winequality-white.csv",
             _BROWNLEE + "91d19aca5be094c329211e0ce0912c607d6eb114/winequality-white.csv"),
            "659d419fff887f225bf977d20520bb64a64cae203e460087f809721d4430ba27", 264255, _WINE_HEADER,
        ),
    ),
    (
        Sample(
            "wine-quality-red", "Red wines judged from 0 to 10", "quality", 1599, 12, "fetched", _WINE_SOURCE, _CC_BY,
            ("a header row was added",),
        ),
        PublicFile(
            "wine-quality/winequality-red.csv",
            (_BROWNLEE + "master/winequality-red.csv",
             _BROWNLEE + "91d19aca5be094c329211e0ce0912c607d6eb114/winequality-red.csv"),
            "c9614512e980f1cbd221c796daa97f00c4898c3cd1716863abac60f6cd1a522e", 84028, _WINE_HEADER,
        ),
    ),
    (
        Sample(
            "titanic", "Who survived the Titanic, 1912", "survived", 891, 11, "fetched",
            "passenger list of the Titanic, https://github.com/mwaskom/seaborn-data",
            "historical record, published without a licence text",
        ),
        PublicFile(
            "titanic/titanic.csv", (_RAW + "mwaskom/seaborn-data/master/raw/titanic.csv",),
            "04e495fcfcf0d1159f4c0a1727bfd3a06370632ae7def0a9407eefdd9ea387eb", 57726,
        ),
    ),
    (
        Sample(
            "penguins", "Penguins of three species at Palmer Station", "species", 344, 7, "fetched",
            "A. Horst, A. Hill and K. Gorman (2020), palmerpenguins, https://allisonhorst.github.io/palmerpenguins",
            "CC0 1.0",
        ),
        PublicFile(
            "penguins/penguins.csv", (_RAW + "mwaskom/seaborn-data/master/penguins.csv",),
            "e07636bd8af74260099ea2f8678e2eabbf35def579940cc76f67061ee16c06c1", 13478,
        ),
    ),
    (
        Sample(
            "abalone", "Age of abalone by the rings of their shells", "rings", 4177, 9, "fetched",
            "W. Nash, T. Sellers, S. Talbot, A. Cawthorn and W. Ford (1994), Abalone; " + _UCI + "1", _CC_BY,
            ("a header row was added; age in years is rings + 1.5",),
        ),
        PublicFile(
            "abalone/abalone.csv",
            (_BROWNLEE + "master/abalone.csv", _BROWNLEE + "a8229c90a131a53c58be9027e047e6a74f11a264/abalone.csv"),
            "eb2de13be807e9bb9ec4128b9c89b98ab23d7739121cfd17b7dde69b46ba7bf6", 191872,
            "sex,length,diameter,height,whole_weight,shucked_weight,viscera_weight,shell_weight,rings",
        ),
    ),
    (
        Sample(
            "german-credit", "Credits of a German bank, good or bad", "risk", 1000, 21, "fetched",
            "H. Hofmann (1994), Statlog (German Credit Data); " + _UCI + "144", _CC_BY,
            ("a header row was added; risk is 1 for good and 2 for bad, the codes A11 ... are explained at the source",),
        ),
        PublicFile(
            "german-credit/german.csv",
            (_BROWNLEE + "master/german.csv", _BROWNLEE + "f430307f22e1127f25765343df5d097fc16f113e/german.csv"),
            "ec12a88b9fc14d74ba646ea0410cf7ff4533bec2eb61652f8ad76796bbfec017", 79793,
            "checking_account,duration,credit_history,purpose,amount,savings,employed_since,installment_rate,"
            "status_and_sex,other_debtors,resident_since,property,age,other_installments,housing,credits_here,job,"
            "dependants,telephone,foreign_worker,risk",
        ),
    ),
    (
        Sample(
            "heart-disease", "Heart disease at the Cleveland Clinic, from 0 (none) to 4", "num", 303, 14, "fetched",
            "A. Janosi, W. Steinbrunn, M. Pfisterer and R. Detrano (1989), Heart Disease; " + _UCI + "45", _CC_BY,
            ("a header row was added; '?' is a missing value",),
        ),
        PublicFile(
            "heart-disease/processed.cleveland.data",
            ("https://archive.ics.uci.edu/ml/machine-learning-databases/heart-disease/processed.cleveland.data",
             _RAW + "EyedBread/naive-bayes/8b74199a7418407b5fbb13384d663a0b3cf2a6a3/processed.cleveland.data"),
            "a74b7efa387bc9d108d7d0115d831fe9b414b29ae7124f331b622b4efa0427c8", 18461,
            "age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,num",
        ),
    ),
    (
        Sample(
            "breast-cancer-wdbc", "Breast cancer of Wisconsin with patient numbers", "diagnosis", 569, 32, "fetched",
            SHIPPED["breast-cancer"].source.removesuffix(_SKLEARN), _CC_BY,
            ("a header row was added; the same cases as breast-cancer, which comes with Retrograd",),
        ),
        PublicFile(
            "breast-cancer-wdbc/wdbc.data",
            (_RAW + "rasbt/machine-learning-book/main/ch06/wdbc.data",
             "https://archive.ics.uci.edu/ml/machine-learning-databases/breast-cancer-wisconsin/wdbc.data"),
            "d606af411f3e5be8a317a5a8b652b425aaf0ff38ca683d5327ffff94c3695f4a", 124103,
            ",".join(["id", "diagnosis", *(f"{part}_{cell}" for part in ("mean", "error", "worst") for cell in _CELLS)]),
        ),
    ),
)  # fmt: skip

FETCHED: dict[str, Sample] = {sample.name: sample for sample, _ in _FETCHED}
FILES: dict[str, PublicFile] = {sample.name: file for sample, file in _FETCHED}
SAMPLES: dict[str, Sample] = {**SHIPPED, **FETCHED, **INVENTED}
