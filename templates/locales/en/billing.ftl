# Billing
nav-billing = Billing
billing-title = Monthly billing
billing-month = Month
billing-before = Month before
billing-after = Month after
billing-site = Referring site
billing-all-sites = All sites
billing-show = Show
billing-charged = Charged (without tax)
billing-read = Parts read
billing-owed = Owed to readers
billing-addon = With add-on
billing-unknown = Add-on to confirm
billing-parts =
    { $n ->
        [one] 1 part
       *[other] { $n } parts
    }
billing-points = { $n } points
billing-without-price = { $n } readings match no line of the tariff. Add a line before the month is closed.
billing-empty-title = No lines in this month yet
billing-empty-text = When a report is signed, its lines are added here by the contract and tariff of that moment.
billing-by-site = By site
billing-by-modality = By modality
billing-by-reader = By reader
billing-lines = Lines
billing-no = No.
billing-day = Counts on
billing-case = Case
billing-kind = Kind
billing-part = Part
billing-amount = Amount
billing-reader = Reader
billing-addon-and-why = Add-on and why
billing-more = Only the first of { $n } lines are shown. The CSV has all of them.
billing-kind-reading = Reading fee
billing-kind-urgency = Urgency surcharge
billing-kind-reader-fee = Reader's fee
billing-kind-addon = Management add-on
billing-addon-yes = Yes
billing-addon-no = No
billing-addon-unknown = To confirm
