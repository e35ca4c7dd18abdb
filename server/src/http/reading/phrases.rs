//! Phrases that the editor offers.

use dokuei_terms::Language;

/// Phrases that are put in at the caret: what is written in most reports of normal studies.
pub(super) fn phrases(language: Language) -> Vec<(&'static str, &'static str)> {
    match language {
        Language::Ja => vec![
            (
                "胸部CT 正常",
                "両肺野に明らかな結節影、浸潤影は認めません。\n胸水は認めません。\n縦隔・肺門リンパ節に有意な腫大は認めません。\n",
            ),
            (
                "頭部CT 正常",
                "頭蓋内に明らかな出血、梗塞巣、占拠性病変は認めません。\n正中偏位は認めません。脳室の拡大は認めません。\n",
            ),
            (
                "腹部CT 正常",
                "肝、胆嚢、膵、脾、両腎に明らかな異常は認めません。\n腹水、有意なリンパ節腫大は認めません。\n",
            ),
            (
                "膝MR 正常",
                "前・後十字靱帯、内・外側側副靱帯に明らかな断裂は認めません。\n内・外側半月板に明らかな断裂は認めません。\n関節液の有意な増加は認めません。\n",
            ),
            ("前回と比較", "前回検査（　年　月　日）と比較し、著変ありません。\n"),
            ("要精査", "精査をご検討ください。\n"),
        ],
        Language::En => vec![
            (
                "Chest CT normal",
                "No nodule or consolidation in either lung.\nNo pleural effusion.\nNo enlarged mediastinal or hilar lymph nodes.\n",
            ),
            (
                "Head CT normal",
                "No intracranial haemorrhage, infarct or mass.\nNo midline shift. Ventricles of normal size.\n",
            ),
            (
                "Abdomen CT normal",
                "Liver, gallbladder, pancreas, spleen and kidneys without abnormality.\nNo ascites, no enlarged lymph nodes.\n",
            ),
            (
                "Knee MR normal",
                "Cruciate and collateral ligaments intact.\nMenisci without tear.\nNo joint effusion.\n",
            ),
            ("Compared", "Compared with the earlier study of      , no significant change.\n"),
            ("Work-up", "Further work-up is suggested.\n"),
        ],
    }
}
